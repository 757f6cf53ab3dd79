/**
 * What native libraries and GPU drivers read. Nothing else goes to a child unless the configuration names it: our own settings hold API
 * keys, and an engine has no business with them.
 */
const passed = [
  'PATH',
  'HOME',
  'USER',
  'TMPDIR',
  'TEMP',
  'TMP',
  'LANG',
  'LC_ALL',
  'TZ',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'XDG_CACHE_HOME',
  'XDG_RUNTIME_DIR',
  'CUDA_VISIBLE_DEVICES',
  'CUDA_DEVICE_ORDER',
  'CUDA_HOME',
  'CUDA_PATH',
  'HIP_VISIBLE_DEVICES',
  'ROCR_VISIBLE_DEVICES',
  'HSA_OVERRIDE_GFX_VERSION',
  'VK_ICD_FILENAMES',
  'VK_DRIVER_FILES',
  'GGML_VK_VISIBLE_DEVICES',
  'NODE_COMPILE_CACHE',
  'NODE_DISABLE_COMPILE_CACHE',
  'SYSTEMROOT',
  'WINDIR',
  'USERPROFILE',
  'LOCALAPPDATA',
  'APPDATA',
] as const

/** What decides which devices a process sees: of NVIDIA's, AMD's and llama.cpp's Vulkan libraries. */
const masks = ['CUDA_VISIBLE_DEVICES', 'HIP_VISIBLE_DEVICES', 'GGML_VK_VISIBLE_DEVICES'] as const

/** What a child's environment is made of. */
export interface EnvironmentParts {
  /** Devices it may see, as nvidia-smi numbers them; all of them if empty. */
  readonly devices?: readonly number[]
  /** Variables it gets beside the usual ones. */
  readonly also?: readonly string[]
  /** The daemon's own environment, unless given. */
  readonly own?: NodeJS.ProcessEnv
}

/** The environment of a process that runs an engine: the few variables above as the daemon has them, those asked for, and its devices. */
export function environmentOf({ devices = [], also = [], own = process.env }: EnvironmentParts = {}): Record<string, string> {
  const names = [...passed, ...also]
  const env: Record<string, string> = {}
  for (const name of names) {
    const value = own[name]
    if (value !== undefined) env[name] = value
  }
  if (devices.length === 0) return env
  for (const name of masks) env[name] = devices.join(',')
  // CUDA by itself counts the fastest first, nvidia-smi by the slot.
  env['CUDA_DEVICE_ORDER'] = 'PCI_BUS_ID'
  return env
}
