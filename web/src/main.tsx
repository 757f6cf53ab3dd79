import { render } from 'preact'
import { App } from './app.tsx'
import { listenToKeys } from './keyboard.ts'
import { startClock } from './live/clock.ts'
import { followFeed } from './live/follow.ts'
import './style/base.css'
import './style/queue.css'
import './style/panel.css'
import './style/pages.css'
import './style/phone.css'

startClock()
followFeed()
listenToKeys()
render(<App />, document.body)
