import type { VNode } from 'preact'

export const Panel = ({ task_id }: { readonly task_id: string }): VNode => <section id="task">{task_id}</section>
