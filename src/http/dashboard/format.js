// Figures as people read them: three digits, the unit that fits, times in the viewer's zone.

const NONE = '–';

const digits = new Map();

/** A number with so many digits behind the point, grouped. */
function fixed(value, places) {
  if (!digits.has(places)) {
    digits.set(places, new Intl.NumberFormat('en', { minimumFractionDigits: places, maximumFractionDigits: places }));
  }
  return digits.get(places).format(value);
}

/** Three significant digits. */
function three(value) {
  const size = Math.abs(value);
  return fixed(value, size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3);
}

/** A duration given in milliseconds, with its unit. */
export function ms(value) {
  if (value == null) return NONE;
  if (value === 0) return '0 ms';
  if (value < 0.9995) return `${fixed(value * 1000, value < 0.00995 ? 1 : 0)} µs`;
  if (value < 999.5) return `${three(value)} ms`;
  return seconds(value / 1000);
}

function seconds(value) {
  if (value < 99.5) return `${three(value)} s`;
  if (value < 3597) return `${three(value / 60)} min`;
  if (value < 172_800) return `${three(value / 3600)} h`;
  return `${three(value / 86_400)} d`;
}

/** How long something has been so, from seconds. */
export function span(value) {
  return value == null ? NONE : value < 60 ? `${Math.round(value)} s` : seconds(value);
}

/** A count: exact below ten thousand, then 12.3 k, 4.56 M. */
export function count(value) {
  if (value == null) return NONE;
  if (value < 10_000) return fixed(value, 0);
  if (value < 999_500) return `${three(value / 1e3)} k`;
  if (value < 999_500_000) return `${three(value / 1e6)} M`;
  return `${three(value / 1e9)} G`;
}

/** Something per second. */
export function rate(value) {
  if (value == null) return NONE;
  if (value > 0 && value < 0.0005) return '< 0.001';
  return value >= 1000 ? count(value) : three(value);
}

/** A part of a hundred. */
export function percent(value) {
  if (value == null) return NONE;
  if (value > 0 && value < 0.1) return '< 0.1 %';
  return `${fixed(value, value >= 9.95 || value === 0 ? 0 : 1)} %`;
}

/** A size in bytes. */
export function bytes(value) {
  if (value == null) return NONE;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? fixed(value, 0) : three(value)} ${units[unit]}`;
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const whole = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' });

/** A time: today's with seconds, another day's with the day. */
export function time(text) {
  if (!text) return NONE;
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return NONE;
  const today = new Date().toDateString() === at.toDateString();
  return today ? clock.format(at) : `${day.format(at)} ${clock.format(at).slice(0, 5)}`;
}

/** The same without seconds: what lies ahead. */
export function minute(text) {
  const at = new Date(text);
  if (!text || Number.isNaN(at.getTime())) return NONE;
  const clocked = clock.format(at).slice(0, 5);
  return new Date().toDateString() === at.toDateString() ? clocked : `${day.format(at)} ${clocked}`;
}

/** The same with everything, for titles. */
export function exact(text) {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? '' : whole.format(at);
}

/** A difference with its sign, as a growth is. */
export function signed(value, shown) {
  return value == null ? NONE : `${value > 0 ? '+' : value < 0 ? '−' : ''}${shown(Math.abs(value))}`;
}

/** One thing or several: `some(3, 'index', 'indexes')`. */
export function some(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** How long ago. */
export function ago(text) {
  return text ? `${span(Math.max(0, (Date.now() - new Date(text).getTime()) / 1000))} ago` : NONE;
}

/** What PostgreSQL calls the codes that people meet most. */
const SQLSTATES = {
  '08000': 'connection exception', '08003': 'connection does not exist', '08006': 'connection failure', '08P01': 'protocol violation',
  '0A000': 'feature not supported', '22001': 'value too long', '22003': 'number out of range', '22007': 'invalid date or time', '22008': 'date or time out of range', '22012': 'division by zero',
  '22P02': 'invalid text representation', '22P04': 'bad COPY file format', '22023': 'invalid parameter value', '23000': 'integrity constraint violation', '23502': 'not-null violation',
  '23503': 'foreign key violation', '23505': 'unique violation', '23514': 'check violation', '23P01': 'exclusion violation',
  '25001': 'in a transaction', '25006': 'read-only transaction', '25P02': 'in failed transaction', '25P03': 'idle in transaction too long', '26000': 'no such prepared statement', '28000': 'not authorised', '28P01': 'invalid password', '3D000': 'no such database',
  '40001': 'serialization failure', '40P01': 'deadlock detected', '42501': 'insufficient privilege', '42601': 'syntax error', '42702': 'ambiguous column',
  '42703': 'undefined column', '42710': 'duplicate object', '42804': 'datatype mismatch', '42846': 'cannot cast', '42883': 'undefined function', '42P01': 'undefined table', '42P05': 'prepared statement exists', '42P07': 'table exists', '53100': 'disk full', '53200': 'out of memory', '53300': 'too many connections',
  '54000': 'limit exceeded', '55006': 'object in use', '55P03': 'lock not available', '57014': 'query canceled', '57P01': 'admin shutdown', '57P02': 'crash shutdown', '57P03': 'cannot connect now', 'P0001': 'raised by a function', 'P0002': 'no data found', 'XX000': 'internal error',
};

/** A code with its meaning. */
export function sqlstate(code) {
  return SQLSTATES[code] ? `${code} ${SQLSTATES[code]}` : code;
}
