/** Now on a clock that all processes of this machine share, microseconds. */
export const stamp = (): number => Number(process.hrtime.bigint() / 1000n)
