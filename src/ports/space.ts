/** How much room there is, and who has what of it. */
export interface Space {
  /** What each owner has stored in artifacts, transcripts among them, and in files, bytes. It has every commit made before the call. */
  stored(): Promise<ReadonlyMap<string, number>>
  /** What is free where new facts are written, bytes. */
  free(): Promise<number>
}
