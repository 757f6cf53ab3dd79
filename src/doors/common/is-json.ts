/** Whether a text is whole JSON. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    // It is not whole yet, or never will be JSON.
    return false
  }
}
