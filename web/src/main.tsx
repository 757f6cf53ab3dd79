import { render } from 'preact'
import { App } from './app.tsx'
import { listenToKeys } from './keyboard.ts'
import { followFeed } from './live/follow.ts'
import './style/base.css'
import './style/queue.css'
import './style/panel.css'
import './style/phone.css'

followFeed()
listenToKeys()
render(<App />, document.body)
