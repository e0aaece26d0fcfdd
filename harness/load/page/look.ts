/** What every page of the harness looks like. Paper is always light. */
export const LOOK = `
:root{color-scheme:light dark;--a:#64748b;--b:#2563eb;--good:#15803d;--bad:#b91c1c;--warn:#a16207;--line:#8884;--quiet:#666;--paper:#fff}
@media screen and (prefers-color-scheme:dark){:root:not(.printing){--a:#94a3b8;--b:#60a5fa;--good:#4ade80;--bad:#f87171;--warn:#facc15;--quiet:#aaa;--paper:#121212}}
@media print{:root{color-scheme:light}}
body{font:15px/1.5 system-ui,sans-serif;margin:0;background:var(--paper)}
main{max-width:62rem;margin:0 auto;padding:1.5rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}
.quiet{color:var(--quiet)}
figure{margin:0}figcaption{font-weight:600;margin-bottom:.25rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--line);white-space:nowrap;vertical-align:top;unicode-bidi:isolate}
th{color:var(--quiet);font-weight:600}
.n{text-align:right;font-variant-numeric:tabular-nums}
`
