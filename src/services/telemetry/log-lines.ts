import type { DaemonEvent, DaemonListener, ReplicaChanged, TaskEnded, TaskIdentity, TaskPlace } from '../../domain/daemon-events.ts'
import type { Log, LogFields } from '../../ports/telemetry.ts'

/** Writes a line for each event that people follow: the steps of a task by its correlation id, replicas, pools and models. */
export const logLines =
  (log: Log): DaemonListener =>
  (event) => {
    writeLine(log, event)
  }

function writeLine(log: Log, event: DaemonEvent): void {
  switch (event.type) {
    case 'task_queued': {
      const { task_id, pool, queue_position } = event.task
      log.info(
        { event: 'admission', ...placeOf(event.task) },
        `Task ${task_id} accepted by pool ${pool.pool_id} with ${queue_position} ahead.`,
      )
      return
    }
    case 'task_refused': {
      const { task, engine, error } = event
      log.info(
        { event: 'admission', ...identityOf(task), engine, code: error.code, err: error.cause },
        `Task ${task.task_id} refused: ${error.message}`,
      )
      return
    }
    case 'task_started': {
      const { task, queue_ms } = event
      log.info(
        { event: 'start', ...placeOf(task), queue_ms },
        `Task ${task.task_id} starts on ${task.pool.pool_id}/${task.replica_id ?? 'none'}.`,
      )
      return
    }
    case 'task_requeued':
      log.warn({ event: 'requeue', ...placeOf(event.task) }, `The engine of task ${event.task.task_id} failed; the task waits again.`)
      return
    case 'task_ended':
      ended(log, event)
      return
    case 'replica_changed':
      replica(log, event)
      return
    case 'pool_load_changed': {
      const { pool_id, group_id, model_ref, state, took_ms, error } = event
      const fields = { pool_id, group_id, model_ref, state, took_ms, error }
      if (error === undefined) log.info({ event: 'group', ...fields }, `Pool ${pool_id} is ${state}.`)
      else log.warn({ event: 'group', ...fields }, `Pool ${pool_id} could not be loaded: ${error}.`)
      return
    }
    case 'pool_draining': {
      const { pool_id, deadline_ms, moved, left } = event
      log.info({ event: 'drain', pool_id, deadline_ms, moved, left }, `Pool ${pool_id} drains; ${moved} queued tasks moved to other pools.`)
      return
    }
    case 'pool_resumed':
      log.info({ event: 'resume', pool_id: event.pool_id }, `Pool ${event.pool_id} takes tasks.`)
      return
    case 'pool_reloaded': {
      const { pool_id, model_ref, was } = event
      log.info({ event: 'reload', pool_id, model_ref, was }, `Pool ${pool_id} now serves ${model_ref}.`)
      return
    }
    case 'reload_failed': {
      const { pool_id, model_ref, cause } = event
      log.warn({ event: 'reload', pool_id, model_ref, err: cause }, `Pool ${pool_id} was not reloaded; it still serves the old model.`)
      return
    }
    case 'recovered': {
      const { queued, ended } = event
      log.info(
        { event: 'recovery', queued, ended },
        `${queued} tasks of the last run are queued again${ended === 0 ? '' : `, ${ended} have ended`}.`,
      )
      return
    }
    case 'model_changed':
      if (event.message !== undefined)
        log.info({ event: 'catalog', model_id: event.model_id, state: event.state, ...event.fields }, event.message)
      return
    case 'model_verified': {
      const { model_id, result, reason, error, warnings } = event
      if (result === 'fail')
        log.error(
          { event: 'catalog', model_id, reason, error },
          `Model ${model_id} failed its verification and is not served: ${error ?? ''}.`,
        )
      else if (warnings.length === 0) log.info({ event: 'catalog', model_id }, `Model ${model_id} is verified.`)
      else log.warn({ event: 'catalog', model_id, warnings }, `Model ${model_id} is verified, but not trusted: ${warnings.join('; ')}.`)
      return
    }
    case 'notice':
      log[event.level]({ event: event.event, ...event.fields }, event.message)
      return
    case 'task_placed':
    case 'task_first_part':
    case 'queue_changed':
    case 'queue_aged':
    case 'queue_gone':
    case 'models_loaded':
    case 'devices_seen':
      return
  }
}

const identityOf = ({ correlation_id, task_id, session_id, owner }: TaskIdentity): LogFields => ({
  correlation_id,
  task_id,
  session_id,
  key_name: owner,
})

const placeOf = (task: TaskPlace): LogFields => ({
  ...identityOf(task),
  ...task.pool,
  replica_id: task.replica_id,
  queue_position: task.queue_position,
  predicted_start_ms: task.predicted_start_ms,
})

function ended(log: Log, { task, outcome, decode_ms = 0, error }: TaskEnded): void {
  const { task_id } = task
  const fields = { ...placeOf(task), tokens_in: outcome.tokens_in, tokens_out: outcome.tokens_out, decode_time_ms: decode_ms }
  if (outcome.state === 'completed')
    log.info({ event: 'end', ...fields }, `Task ${task_id} completed with ${outcome.tokens_out ?? 0} tokens.`)
  else if (outcome.state === 'canceled') log.info({ event: 'cancel', ...fields }, `Task ${task_id} was canceled.`)
  else log.warn({ event: 'error', ...fields, code: error?.code, err: error?.cause }, `Task ${task_id} failed: ${error?.message ?? ''}`)
}

function replica(log: Log, { pool, model_ref, current, replica_id, state, engine_version, error }: ReplicaChanged): void {
  const { pool_id, engine } = pool
  const fields = { event: 'replica', pool_id, replica_id, engine, engine_version, model_ref, state }
  // Beside the engines that serve there are those of a reload: nobody should take them for the pool's own.
  const whose = `Replica ${replica_id} of pool ${pool_id}${current ? '' : `, not the one that serves but one with ${model_ref},`}`
  if (state === 'down') log.warn({ ...fields, error }, `${whose} is down${current ? ' until it is tried again' : ''}: ${error ?? ''}.`)
  else if (state === 'stopped' && error !== undefined) log.warn({ ...fields, error }, `${whose} is stopped: ${error}`)
  else log.info(fields, `${whose} is ${state}.`)
}
