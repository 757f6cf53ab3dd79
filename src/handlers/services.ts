import type { Admission } from '../services/tasks/admission.ts'
import type { Artifacts } from '../services/artifacts.ts'
import type { Cancellation } from '../services/tasks/cancellation.ts'
import type { Catalog } from '../services/catalog/catalog.ts'
import type { Configuration } from '../services/operations/configuration.ts'
import type { Feed } from '../services/feed/feed.ts'
import type { Drain } from '../services/operations/drain.ts'
import type { Loads } from '../services/operations/loads.ts'
import type { ModelAccess } from '../services/pools/model-access.ts'
import type { Pools } from '../services/pools/pools.ts'
import type { Reload } from '../services/operations/reload.ts'
import type { Sessions } from '../services/sessions/sessions.ts'
import type { Streams } from '../services/tasks/streams.ts'
import type { Tasks } from '../services/tasks/tasks.ts'
import type { UsageBook } from '../services/usage.ts'
import type { AnthropicServices } from './anthropic/anthropic-handlers.ts'
import type { OpenAiServices } from './openai/openai-handlers.ts'

/** What the handlers work with. */
export interface Services extends AnthropicServices, OpenAiServices {
  readonly access: ModelAccess
  readonly admission: Admission
  readonly artifacts: Artifacts
  readonly cancellation: Cancellation
  readonly catalog: Catalog
  readonly configuration: Configuration
  readonly drain: Drain
  readonly loads: Loads
  readonly feed: Pick<Feed, 'open'>
  readonly pools: Pick<Pools, 'all' | 'get'>
  readonly reload: Reload
  readonly sessions: Sessions
  readonly streams: Streams
  readonly tasks: Tasks
  readonly usage: UsageBook
}
