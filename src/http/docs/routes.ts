import type { IRouter, Response } from 'express'
import { contractFiles, contractText, type ContractName, type ShownContract } from './contract.ts'
import { contentPolicy, docsPage } from './page.ts'

const headers = { 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer', 'Cache-Control': 'no-cache' }
const names = Object.keys(contractFiles) as ContractName[]

/** The contracts as they are and as a page; public, read from disk when they are asked for. The page is built once. */
export function docsRoutes(pages: IRouter): void {
  let page: Promise<string> | undefined
  for (const name of names)
    pages.get(`/openapi/${name}.json`, async (_req, res: Response) => {
      res.set({ ...headers, 'Content-Type': 'application/json; charset=utf-8' }).send(await contractText(name))
    })
  pages.get('/docs', async (_req, res: Response) => {
    page ??= built()
    res.set({ ...headers, 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': contentPolicy }).send(await page)
  })
}

async function built(): Promise<string> {
  const contracts = await Promise.all(names.map(async (name) => [name, JSON.parse(await contractText(name)) as ShownContract] as const))
  return docsPage(Object.fromEntries(contracts) as Record<ContractName, ShownContract>)
}
