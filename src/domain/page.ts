/** Items on a page where the client names no limit; the contract's default. */
export const defaultPage = 50
