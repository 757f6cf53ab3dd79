import type { VNode } from 'preact'
import { counted } from '../text.ts'
import type { Item } from './items.ts'
import { WaitingRow } from './row.tsx'

/** A row of the waiting ones: a task, or how many of others wait between. */
export function ItemRow({ item: { row, place, count } }: { readonly item: Item }): VNode {
  if (row !== undefined) return <WaitingRow row={row} place={place} />
  return (
    <tr class="w oth">
      <td class="p n" />
      <td class="t" colSpan={8}>
        <span class="m">{counted(count, 'task')} of others waiting</span>
      </td>
    </tr>
  )
}
