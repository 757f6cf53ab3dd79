import { render } from 'preact'
import './style/base.css'

render(<h1>orchestratord</h1>, document.body)
