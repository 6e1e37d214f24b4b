// Canonical statements on the page: words coloured, clauses on lines of their own. Always as text nodes.

import { h } from './dom.js';

const WORDS = new Set(`all alter analyze and any array as asc begin between by case cast commit conflict constraint copy create cross
  current cursor delete desc distinct do drop else end except exists explain fetch filter for from full group having if ilike in
  index inner insert intersect interval into is join lateral left like limit listen locked lock merge natural not nothing null
  nulls offset on only or order outer over partition prepare primary recursive references refresh release returning right
  rollback row rows savepoint select set share show skip stdin stdout table temporary then to transaction truncate true false
  union unique update using vacuum values view when where window with within`.split(/\s+/));

/** They begin a line at the depth where they stand. */
const CLAUSES = /^(select|from|where|group|order|having|limit|offset|values|set|returning|union|except|intersect|on conflict|left|right|inner|cross|full|join|for|window)$/;

const TOKEN = /('(?:[^']|'')*'?)|("(?:[^"]|"")*"?)|(\$\d+)|(\b\d+(?:\.\d+)?\b)|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(\s+)|([\s\S])/gu;

/** Tokens: `[kind, text]`. */
function* tokens(text) {
  for (const match of text.matchAll(TOKEN)) {
    const [whole, string, , parameter, number, word, space] = match;
    if (space) yield ['space', whole];
    else if (string) yield ['string', whole];
    else if (parameter) yield ['parameter', whole];
    else if (number) yield ['number', whole];
    else if (word) yield [WORDS.has(word.toLowerCase()) ? 'word' : 'name', whole];
    else yield ['other', whole];
  }
}

/** One line, coloured. */
export function line(text) {
  return h('code.sql', {}, [...tokens(text)].map(([kind, part]) => (kind === 'space' ? ' ' : coloured(kind, part))));
}

function coloured(kind, part) {
  return kind === 'word' || kind === 'parameter' || kind === 'string' || kind === 'number' ? h(`span.${kind}`, {}, part) : part;
}

/** Whole, with a line for each clause. */
export function block(text) {
  const parts = [];
  let [depth, before, isStart] = [0, '', true];
  for (const [kind, part] of tokens(text)) {
    const low = part.toLowerCase();
    if (part === '(') depth += 1;
    if (part === ')') depth = Math.max(0, depth - 1);
    const breaks = kind === 'word' && depth === 0 && CLAUSES.test(low) && !isStart && !joined(low, before);
    if (kind === 'space') {
      parts.push(' ');
      continue;
    }
    if (breaks) {
      if (parts.at(-1) === ' ') parts.pop();
      parts.push('\n');
    }
    parts.push(coloured(kind, part));
    [before, isStart] = [low, part === ';'];
  }
  return h('pre.sql', { tabindex: '0', 'aria-label': 'Statement', 'data-key': 'text' }, h('code', {}, parts));
}

/** Words that go on with a line: `left join`, `delete from`, `update … set` alone begins one. */
function joined(word, before) {
  if (word === 'join') return /^(left|right|inner|cross|full|outer)$/.test(before);
  if (word === 'from') return before === 'delete' || before === 'distinct';
  if (word === 'select') return before === 'all' || before === 'as' || before === 'explain';
  if (word === 'order' || word === 'group') return before === 'within';
  if (word === 'update') return before === 'for' || before === 'do';
  return word === 'set' && before !== 'update' ? false : before === '(';
}
