// Before anything is painted: light or dark, as chosen here or by the system.
'use strict';
try {
  const chosen = localStorage.getItem('pgvitals.theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
} catch { /* Storage may be forbidden; then the system decides. */ }
