import { tell } from '../dialog.tsx'
import { client } from '../session.ts'

/** Saves an artifact's document as a file. Where it cannot be had the reason is said. */
export async function download(artifact_id: string, owner: string | undefined, name: string): Promise<void> {
  try {
    const { content } = await client.peek().artifacts.get(artifact_id, { owner })
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([content], { type: 'application/json' }))
    link.download = name
    link.click()
    URL.revokeObjectURL(link.href)
  } catch (error) {
    tell('It cannot be saved', error)
  }
}
