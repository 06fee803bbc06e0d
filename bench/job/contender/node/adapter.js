// The adapter of the job as a front-end team would write it: Fastify answers the
// device, undici asks the edges.
//
//	node adapter.js EDGE...
//
// It prints the address at which it listens, and ends when its standard input does,
// so that it is never left behind.
import { EventEmitter } from 'node:events'
import Fastify from 'fastify'
import { Pool } from 'undici'

const patience = 30_000 // ms for one question; a device mostly has less
const limit = 12 // how many recommendations a page has: tier.Limit

const pools = process.argv.slice(2).map((origin) => new Pool(origin, {
  connections: 128, // more are slower where many wait
  pipelining: 1, // no answer waits behind another
  keepAliveTimeout: 60_000, // the edge closes no idle connection
  connectTimeout: patience,
  headersTimeout: patience,
  bodyTimeout: patience
}))

// asker asks one edge the questions of one job, for whom the passport is and until
// the device goes away. Fastify's request.signal is not used, since it aborts what has
// ended, too: that costs a fifth of the job.
let turn = 0
function asker (request, reply) {
  const edge = pools[turn++ % pools.length]
  const headers = { passport: request.headers.passport ?? '' }
  const signal = new EventEmitter().setMaxListeners(0)
  reply.raw.once('close', () => { if (!reply.raw.writableFinished) signal.emit('abort') })
  return async (path) => {
    const { statusCode, body } = await edge.request({ method: 'GET', path, headers, signal })
    if (statusCode === 200) return body.json()
    const said = (await body.text()).trim()
    throw Object.assign(new Error(`${path}: ${statusCode}: ${said}`), { statusCode: statusCode === 401 ? 401 : 502 })
  }
}

const app = Fastify({ logger: false })

const page = {
  type: 'object',
  required: ['name', 'items'],
  properties: {
    name: { type: 'string' },
    items: {
      type: 'array',
      items: {
        type: 'object',
        required: ['id', 'title', 'released', 'score', 'reason'],
        properties: {
          id: { type: 'integer' },
          title: { type: 'string' },
          released: { type: 'integer' },
          score: { type: 'number' },
          reason: { type: 'string' },
          rating: { type: 'string' }
        }
      }
    }
  }
}

app.get('/page', { schema: { response: { 200: page } } }, async (request, reply) => {
  const ask = asker(request, reply)
  const profile = await ask('/profile')
  const { items } = await ask(`/recommendations?limit=${limit}&language=${encodeURIComponent(profile.language)}`)
  const ids = items.map((item) => item.id).join(',')
  const [{ videos }, { ratings }] = await Promise.all([ask(`/films?ids=${ids}`), ask(`/ratings?ids=${ids}`)])
  const films = new Map(videos.map((film) => [film.id, film]))
  const rated = new Map(ratings.map((rating) => [rating.video, rating.rating]))
  return {
    name: `Recommended for ${profile.name}`,
    items: items.filter(({ id }) => films.has(id)).map(({ id, score, reason }) => {
      const { title, released } = films.get(id)
      return { id, title, released, score, reason, rating: rated.get(id) }
    })
  }
})

const number = { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } }
const from1 = (name) => ({
  querystring: { type: 'object', required: [name], properties: { [name]: { type: 'integer', minimum: 1, maximum: 10_000 } } },
  response: { 200: number }
})

app.get('/chain', { schema: from1('depth') }, async (request, reply) => {
  const ask = asker(request, reply)
  let n = 0
  for (let i = 0; i < request.query.depth; i++) ({ n } = await ask(`/next?n=${n}`))
  return { n }
})

app.get('/fan', { schema: from1('width') }, async (request, reply) => {
  const ask = asker(request, reply)
  const answers = await Promise.all(Array.from({ length: request.query.width }, (_, i) => ask(`/next?n=${i}`)))
  return { n: answers.reduce((sum, { n }) => sum + n, 0) }
})

const end = () => process.exit(0)
process.stdin.on('end', end).on('error', end).resume()
await app.listen({ host: '127.0.0.1', port: 0 })
console.log(`127.0.0.1:${app.server.address().port}`)
