/**
 * What the native library and its GPU drivers read, and where Node keeps what it compiles. Nothing else goes to the child: our own settings hold API keys, and a library
 * in there has no business with them.
 */
const PASSED = [
  'PATH',
  'HOME',
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
  'NODE_COMPILE_CACHE',
  'NODE_DISABLE_COMPILE_CACHE',
  'CUDA_VISIBLE_DEVICES',
  'CUDA_DEVICE_ORDER',
  'CUDA_PATH',
  'HIP_VISIBLE_DEVICES',
  'ROCR_VISIBLE_DEVICES',
  'HSA_OVERRIDE_GFX_VERSION',
  'VK_ICD_FILENAMES',
  'VK_DRIVER_FILES',
  'GGML_VK_VISIBLE_DEVICES',
  'SYSTEMROOT',
  'WINDIR',
  'USERPROFILE',
  'LOCALAPPDATA',
  'APPDATA',
] as const

/** The child's environment: the few variables above, as the daemon has them; none of them is read here. */
export function childEnv(own: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {}
  for (const name of PASSED) {
    const value = own[name]
    if (value !== undefined) env[name] = value
  }
  return env
}
