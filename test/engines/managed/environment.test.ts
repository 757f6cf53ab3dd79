import assert from 'node:assert/strict'
import { environmentOf } from '../../../src/adapters/engines/process/environment.ts'

describe('the environment of a process of ours', () => {
  const own = { PATH: '/bin', CUDA_VISIBLE_DEVICES: '3', SECRET: 'secret', MINE: 'mine', TZ: undefined }

  it('has what programs need and what was named, and nothing else', () => {
    assert.deepEqual(environmentOf({ own }), { PATH: '/bin', CUDA_VISIBLE_DEVICES: '3' })
    assert.deepEqual(environmentOf({ own, also: ['MINE', 'NONE'] }), { PATH: '/bin', CUDA_VISIBLE_DEVICES: '3', MINE: 'mine' })
  })

  it('shows its own devices alone, whoever made them, in the order of their places', () => {
    const masks = { CUDA_VISIBLE_DEVICES: '1,0', HIP_VISIBLE_DEVICES: '1,0', GGML_VK_VISIBLE_DEVICES: '1,0' }
    assert.deepEqual(environmentOf({ own, devices: [1, 0] }), { PATH: '/bin', ...masks, CUDA_DEVICE_ORDER: 'PCI_BUS_ID' })
  })
})
