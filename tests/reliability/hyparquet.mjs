// Every row of Parquet files, one JSON object a line, read by hyparquet; times are microseconds since 1970.
// usage: node hyparquet.mjs NPM-FOLDER FILE…
import { pathToFileURL } from 'node:url'

const [npm, ...files] = process.argv.slice(2)
const { asyncBufferFromFile, parquetReadObjects } = await import(pathToFileURL(`${npm}/hyparquet/node.js`))

const parsers = { timestampFromMicroseconds: micros => micros }

// 64-bit numbers to the last digit, which JSON.stringify() refuses.
function json(value) {
  if (typeof value === 'bigint') return value.toString()
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return `[${Array.from(value, json).join(',')}]`
  if (value !== null && typeof value === 'object') {
    return `{${Object.entries(value).map(([name, v]) => `${JSON.stringify(name)}:${json(v)}`).join(',')}}`
  }
  return JSON.stringify(value ?? null)
}

for (const path of files) {
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path), parsers })
  process.stdout.write(rows.map(row => json(row) + '\n').join(''))
}
