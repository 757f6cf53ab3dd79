/** Builds of node-llama-cpp for GPUs by platform and processor, and whose GPUs each is for. */
const builds: Readonly<Record<string, readonly (readonly [name: string, whose: string])[]>> = {
  'linux-x64': [
    ['linux-x64-cuda', 'NVIDIA'],
    ['linux-x64-vulkan', 'any other'],
  ],
  'win32-x64': [
    ['win-x64-cuda', 'NVIDIA'],
    ['win-x64-vulkan', 'any other'],
  ],
  'darwin-arm64': [['mac-arm64-metal', 'Apple']],
}

/**
 * Why `llamacpp.gpu: true` cannot be, and what to install.
 * @param machine platform and processor as Node names them, such as `linux-x64`
 * @param version of node-llama-cpp, which its builds share
 * @param drivers of GPUs that llama.cpp finds on the machine
 */
export function gpuRefusal(machine: string, version: string, drivers: readonly string[]): string {
  const found = `driver found: ${drivers.length === 0 ? 'none' : drivers.join(', ')}`
  const packages = builds[machine]?.map(([name, whose]) => `@node-llama-cpp/${name}@${version} (${whose})`)
  const install =
    packages === undefined
      ? `node-llama-cpp has no build for a GPU of ${machine}`
      : `run npm install ${packages.join(' or ')}, after taking it out of overrides in package.json if it is there`
  return `llamacpp.gpu is true, and llama.cpp has no GPU that it can use (${found}): ${install}`
}
