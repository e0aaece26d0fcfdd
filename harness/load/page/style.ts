/** Of the page of one run, on top of the common look. */
export const STYLE = `
:root{--blue:#2563eb;--slate:#64748b;--teal:#0d9488;--amber:#d97706;--violet:#7c3aed;--rose:#e11d48;--card:#f6f7f9;--gutter:52px;--edge:12px}
@media screen and (prefers-color-scheme:dark){:root:not(.printing){--blue:#60a5fa;--slate:#94a3b8;--teal:#2dd4bf;--amber:#fbbf24;--violet:#a78bfa;--rose:#fb7185;--card:#1c1d20}}
.network{--own:var(--violet)}.cloud{--own:var(--amber)}.camera{--own:var(--teal)}.stranger{--own:var(--rose)}
code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;unicode-bidi:isolate}
.verdict{border-radius:10px;padding:1.1rem 1.4rem;background:color-mix(in srgb,var(--tone) 12%,var(--paper));border-left:6px solid var(--tone);overflow-wrap:anywhere}
.verdict.good{--tone:var(--good)}.verdict.bad{--tone:var(--bad)}.verdict.warn{--tone:var(--warn)}
.verdict h1{font-size:2rem;line-height:1.2;color:var(--tone)}
.verdict .mark{display:inline-block;min-width:1em;text-align:center}
.verdict p{margin:.35rem 0 0}
.verdict ul{margin:.9rem 0 0;padding:0;list-style:none;font-size:1.05rem}
.verdict li{padding:.3rem 0;border-top:1px solid color-mix(in srgb,var(--tone) 30%,transparent)}
.verdict li b{color:var(--tone)}
.verdict li small{display:block;color:var(--quiet);font-size:.85rem}
.warning{border-left:6px solid var(--warn);background:color-mix(in srgb,var(--warn) 10%,var(--paper));border-radius:10px;padding:.6rem 1.4rem;margin:.75rem 0}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:.6rem;margin:.75rem 0}
.tile{background:var(--card);border-radius:10px;padding:.6rem .8rem;display:grid;gap:.1rem;align-content:start}
.tile span,.tile small{color:var(--quiet);font-size:.8rem}
.tile b{font-size:1.25rem;line-height:1.3;font-variant-numeric:tabular-nums}
.tile.bad b{color:var(--bad)}
.repeat{display:flex;flex-wrap:wrap;gap:.4rem .75rem;align-items:center;background:var(--card);border-radius:10px;padding:.6rem .8rem}
.repeat>span{color:var(--quiet);font-size:.8rem}
.repeat code{flex:1 1 16rem}.repeat code span{display:inline-block;max-width:100%;overflow-wrap:anywhere}
.repeat small{flex-basis:100%;overflow-wrap:anywhere}
button{font:inherit;font-size:.85rem;padding:.15rem .8rem;border:1px solid var(--line);border-radius:6px;background:var(--paper);color:inherit;cursor:pointer}
button:hover{border-color:var(--quiet)}
.hint{margin:0 0 .5rem;font-size:.85rem}
.charts figure{margin:0 0 .9rem;break-inside:avoid}
.charts figcaption{display:flex;flex-wrap:wrap;gap:0 .6rem;align-items:baseline;font-size:.9rem;font-weight:400}
.keys{margin-left:auto;display:flex;flex-wrap:wrap;gap:0 .9rem;font-size:.8rem;color:var(--quiet);padding-right:var(--edge)}
.key::before,.swatch::before{content:"";display:inline-block;width:.7em;height:.7em;border-radius:2px;margin-right:.35em;background:var(--own)}
.key i{font-style:normal;color:CanvasText;font-weight:600;font-variant-numeric:tabular-nums}
.plot{min-height:132px}
.u-select{background:color-mix(in srgb,var(--blue) 18%,transparent)}
.u-hz .u-cursor-x,.u-vt .u-cursor-y{border-right:1px solid var(--quiet)}
.dock{position:sticky;bottom:0;background:var(--paper);border-top:1px solid var(--line);padding:.35rem 0 .5rem;z-index:2;break-inside:avoid}
.dockhead{display:flex;flex-wrap:wrap;gap:0 .9rem;font-size:.8rem;align-items:baseline}
.dockhead b{font-size:.9rem}
#now{margin-left:auto;padding-right:var(--edge);font-variant-numeric:tabular-nums}
.lane{max-height:9.2rem;overflow:hidden auto;scrollbar-width:none;font-size:.78rem}
.track{position:relative;margin-left:var(--gutter);margin-right:var(--edge)}
.row{position:relative;height:1.35rem;background:linear-gradient(var(--line),var(--line)) 0 100%/100% 1px no-repeat}
.strike{position:absolute;top:.25rem;height:.8rem;min-width:3px;border-radius:2px;background:var(--own)}
.strike.moment{width:3px!important}
.strike span{position:absolute;top:-.2rem;line-height:1.2rem;white-space:nowrap;max-width:34vw;overflow:hidden;text-overflow:ellipsis;unicode-bidi:isolate}
.strike span{background:color-mix(in srgb,var(--paper) 75%,transparent);z-index:1}.strike.after span{left:calc(100% + .35rem)}
.strike.before span{right:calc(100% + .35rem)}
.strike.off{display:none}
.now{position:absolute;top:0;bottom:0;width:1px;background:var(--quiet)}
td.long{white-space:normal;min-width:14rem;color:var(--quiet);font-size:.88rem;overflow-wrap:anywhere}
th.n+th:not(.n),td.n+td:not(.n){padding-left:.5rem}
a{color:var(--blue)}
td ul{margin:0;padding:0 0 0 1rem}
.ranges{max-height:6rem;overflow:auto}
.badge{display:inline-block;min-width:3.4rem;text-align:center;border-radius:5px;font-size:.78rem;line-height:1.35rem;padding:0 .3rem;color:var(--own);background:color-mix(in srgb,var(--own) 14%,var(--paper))}
.badge.good{--own:var(--good)}.badge.bad{--own:var(--bad)}
b.bad{color:var(--bad)}
tr.bad>td{background:color-mix(in srgb,var(--bad) 7%,transparent)}
.matrix th{text-align:left;vertical-align:top}.matrix th small{display:block;font-weight:400;color:var(--quiet);white-space:normal;min-width:9rem}
.matrix thead th{white-space:normal;min-width:4.4rem;vertical-align:bottom}.matrix th,.matrix td{padding-left:.3rem;padding-right:.3rem}.matrix td{vertical-align:top;text-align:center}
.matrix .none{color:var(--quiet)}.matrix .cell b{display:block;font-variant-numeric:tabular-nums;white-space:nowrap}.matrix .cell small{color:var(--quiet)}
.matrix .cell.good{--own:var(--good)}.matrix .cell.bad{--own:var(--bad)}
.matrix .cell{background:color-mix(in srgb,var(--own) 12%,var(--paper))}.matrix .cell b{color:var(--own)}
details{margin-top:1.5rem}summary{cursor:pointer;font-size:1.1rem;font-weight:700;margin-bottom:.5rem}
@media (max-width:40rem){main{padding:.75rem}:root{--gutter:42px;--edge:8px}.verdict{padding:.9rem 1rem}.verdict h1{font-size:1.5rem}.tiles{grid-template-columns:1fr 1fr}.keys{margin-left:0}td.long{min-width:26rem}}
@media print{main{max-width:none;padding:0}.dock{position:static}.lane{max-height:none}button,.hint{display:none}.verdict,.tile,.repeat,.badge,.strike,.key::before,.swatch::before{print-color-adjust:exact;-webkit-print-color-adjust:exact}.tile,tr{break-inside:avoid}.wide{overflow:visible}td,th,td.long{white-space:normal;min-width:0}h2{break-after:avoid}}
`
