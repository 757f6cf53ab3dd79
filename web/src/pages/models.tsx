import type { ComponentChildren, VNode } from 'preact'
import { now } from '../live/clock.ts'
import { live, toldAt } from '../live/store.ts'
import type { CatalogModel, FeedPool, ModelCapability } from '../live/types.ts'
import { ask } from '../dialog.tsx'
import { Out, Sign } from '../out.tsx'
import { filter } from '../route.ts'
import { askDrain, askLoad, askReload, askResume, askUnload } from '../queue/actions.ts'
import { engineName, poolState, wholeSlots } from '../queue/words.ts'
import { client } from '../session.ts'
import { contextSize, dayAndTime, shownLines } from '../text.ts'
import { useAsked } from './asked.ts'
import { Columns, ListPage } from './list.tsx'

const matches = (...texts: readonly string[]): boolean => texts.join(' ').toLowerCase().includes(filter.value.toLowerCase())

/** What can be asked for and what it leads to, the pools with their models, the catalog, and the configuration that runs. */
export function Models(): VNode {
  const control = live.viewer.value?.role === 'control'
  return (
    <ListPage title="Models">
      <Names />
      <Pools control={control} />
      <Catalog control={control} />
      {control && <Config />}
    </ListPage>
  )
}

const Part = ({
  title,
  failed,
  children,
}: {
  readonly title: string
  readonly failed?: string
  readonly children: ComponentChildren
}): VNode => (
  <section class="part">
    <h3>{title}</h3>
    {failed !== undefined && failed !== '' && (
      <p class="bad" role="alert">
        <Out text={failed} />
      </p>
    )}
    {children}
  </section>
)

function Names(): VNode {
  const { value, failed } = useAsked((signal) => client.peek().capabilities({ signal }))
  const models = (value?.models ?? []).filter(({ name, aliases }) => matches(name, ...aliases))
  return (
    <Part title="Names" failed={failed}>
      <table class="list">
        <Columns names={['Name', 'Also called', 'Leads to', '>Context', 'Can', 'Now']} />
        <tbody>
          {models.map((model) => (
            <NameRow key={model.name} model={model} />
          ))}
        </tbody>
      </table>
    </Part>
  )
}

function NameRow({ model: { name, aliases, pools, fallback, ctx_max, features, ready } }: { readonly model: ModelCapability }): VNode {
  return (
    <tr class="w">
      <td>
        <Out text={name} />
      </td>
      <td>
        <Out text={aliases.join(', ')} />
      </td>
      <td>
        <Out text={pools.join(', ')} />
        {fallback.length > 0 && (
          <span class="m">
            , else <Out text={fallback.join(', ')} />
          </span>
        )}
      </td>
      <td class="n">{contextSize(ctx_max)}</td>
      <td class="long">{features.join(', ').replaceAll('_', ' ')}</td>
      <td>
        {ready ? (
          <>
            <Sign is="●" kind="ok" /> takes tasks
          </>
        ) : (
          <span class="bad">
            <Sign is="✕" /> takes none
          </span>
        )}
      </td>
    </tr>
  )
}

function Pools({ control }: { readonly control: boolean }): VNode {
  return (
    <Part title="Pools">
      <table class="list">
        <Columns names={['Pool', 'State', 'Model', 'Engine', '>Slots', 'Group', '']} />
        <tbody>
          {live.pools.value
            .filter(({ pool_id, model }) => matches(pool_id, model))
            .map((pool) => (
              <PoolRow key={pool.pool_id} pool={pool} control={control} />
            ))}
        </tbody>
      </table>
    </Part>
  )
}

function PoolRow({ pool, control }: { readonly pool: FeedPool; readonly control: boolean }): VNode {
  const { sign, word, kind } = poolState(pool, now.value - toldAt(pool))
  const act = (title: string, run: (pool: FeedPool) => void): VNode => (
    <button type="button" aria-label={`${title} ${pool.pool_id}`} onClick={() => run(pool)}>
      {title}
    </button>
  )
  return (
    <tr class="w">
      <td>
        <Out text={pool.pool_id} />
      </td>
      <td class={kind}>
        <Sign is={sign} /> {word}
      </td>
      <td class="long">
        <Out text={pool.model} />
      </td>
      <td>{engineName(pool.engine)}</td>
      <td class="n">{wholeSlots(pool)}</td>
      <td>{pool.group !== undefined && <Out text={pool.group} />}</td>
      <td class="n">
        {control && (
          <span class="a">
            {pool.load_state !== undefined && (pool.state === 'asleep' ? act('Load', askLoad) : act('Unload', askUnload))}
            {act('Reload', askReload)}
            {pool.state === 'draining' ? act('Resume', askResume) : act('Drain', askDrain)}
          </span>
        )}
      </td>
    </tr>
  )
}

function Catalog({ control }: { readonly control: boolean }): VNode {
  const { value, failed, again } = useAsked((signal) => client.peek().catalog.list({}, { signal }))
  const models = (value?.models ?? []).filter(({ id, tags }) => matches(id, ...tags))
  return (
    <Part title="Catalog" failed={failed}>
      {value !== undefined && models.length === 0 ? (
        <p class="m">Nothing is registered.</p>
      ) : (
        <table class="list">
          <Columns names={['Model', 'Source', 'State', 'Verification', 'Registered', '']} />
          <tbody>
            {models.map((model) => (
              <CatalogRow key={model.id} model={model} control={control} onChange={again} />
            ))}
          </tbody>
        </table>
      )}
    </Part>
  )
}

interface CatalogRowProps {
  readonly model: CatalogModel
  readonly control: boolean
  readonly onChange: () => void
}

function CatalogRow({ model: { id, source_url, state, verification, created_at }, control, onChange }: CatalogRowProps): VNode {
  const verify = (): void =>
    ask({
      title: `Verify ${id}?`,
      lines: [
        'Its files are read and held against their digests and signatures; that takes as long as reading them.',
        'Tasks go on meanwhile.',
      ],
      go: `Verify ${id}`,
      run: async () => {
        await client.peek().catalog.verify(id)
        onChange()
      },
    })
  return (
    <tr class="w">
      <td>
        <Out text={id} />
      </td>
      <td class="long">
        <Out text={source_url} />
      </td>
      <td>{state}</td>
      <td class="long">{verification === undefined ? <span class="m">never</span> : <Verified of={verification} />}</td>
      <td class="m">{dayAndTime(Date.parse(created_at), now.peek())}</td>
      <td class="n">
        {control && (
          <button type="button" aria-label={`Verify ${id}`} onClick={verify}>
            Verify
          </button>
        )}
      </td>
    </tr>
  )
}

function Verified({ of: { status, reason, message } }: { readonly of: NonNullable<CatalogModel['verification']> }): VNode {
  if (status === 'running') return <span class="warn">◔ is being verified</span>
  if (status === 'pass')
    return (
      <>
        <Sign is="●" kind="ok" /> passed
      </>
    )
  return (
    <span class="bad">
      <Sign is="✕" /> <Out text={message ?? reason ?? 'failed'} />
    </span>
  )
}

function Config(): VNode {
  const { value, failed } = useAsked((signal) => client.peek().config({ signal }))
  return (
    <Part title="Configuration that runs" failed={failed}>
      {value !== undefined && (
        <>
          <p class="m">loaded {dayAndTime(Date.parse(value.loaded_at), now.peek())}</p>
          {value.refused !== undefined && (
            <p class="warn">
              ▲ refused {dayAndTime(Date.parse(value.refused.at), now.peek())}: <Out text={value.refused.message} />
            </p>
          )}
          <pre tabIndex={0} role="region" aria-label="Configuration">
            {shownLines(JSON.stringify(value.config, null, 2))}
          </pre>
        </>
      )}
    </Part>
  )
}
