import { LOOK } from "../../load/page/look.ts"

export const STYLE = `${LOOK}
:root{--person:#2563eb;--animal:#d97706;--vehicle:#0d9488;--card:#f6f7f9;--gutter:5.5rem}
@media screen and (prefers-color-scheme:dark){:root:not(.printing){--person:#60a5fa;--animal:#fbbf24;--vehicle:#2dd4bf;--card:#1c1d20}}
main{max-width:76rem}
h2{display:flex;flex-wrap:wrap;gap:0 .75rem;align-items:baseline;overflow-wrap:anywhere}
h2 small{font-size:.85rem;font-weight:400;color:var(--quiet)}
.person{--own:var(--person)}.animal{--own:var(--animal)}.vehicle{--own:var(--vehicle)}.thing{--own:var(--quiet)}
.hero{border-radius:14px;padding:1.3rem 1.6rem;background:color-mix(in srgb,var(--tone) 11%,var(--paper));border-left:8px solid var(--tone)}
.hero.good{--tone:var(--good)}.hero.warn{--tone:var(--warn)}.hero.none{--tone:var(--person)}
.hero h1{font-size:2.1rem;line-height:1.15;color:var(--tone)}
.hero p{margin:.4rem 0 0;color:var(--quiet)}
.band{border-left:6px solid var(--warn);background:color-mix(in srgb,var(--warn) 10%,var(--paper));border-radius:10px;padding:.6rem 1.2rem;margin:.75rem 0;overflow-wrap:anywhere}
.units{display:grid;grid-template-columns:auto 1fr auto;gap:.35rem 1rem;align-items:center;margin:1.1rem 0 0}
.units b{color:var(--own)}
.dots{display:flex;flex-wrap:wrap;gap:3px}
.dots a{width:13px;height:13px;border-radius:4px;background:var(--own);display:block;box-sizing:border-box}
.dots a.missed{background:none;border:2px solid var(--own)}
.dots a.invented{background:none;color:var(--bad);font:bold 16px/13px system-ui;text-align:center;text-decoration:none}
.dots .many{background:var(--own);color:#fff;border-radius:4px;padding:0 3rem;font-size:.8rem;line-height:13px}
.dots a:hover{outline:2px solid var(--quiet)}
.units span{color:var(--quiet);font-size:.9rem;font-variant-numeric:tabular-nums}
.units span strong{color:CanvasText}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.6rem;margin:.9rem 0}
.tile{background:var(--card);border-radius:10px;padding:.6rem .9rem;display:grid}
.tile span,.tile small{color:var(--quiet);font-size:.8rem}
.tile b{font-size:1.35rem;font-variant-numeric:tabular-nums}
.picture{position:relative;overflow:hidden;border-radius:8px;background:#111;line-height:0}
.picture img{width:100%;display:block}
.boxes{position:absolute;inset:0;width:100%;height:100%}
.boxes rect{fill:none;stroke:var(--own);stroke-width:2.5px;vector-effect:non-scaling-stroke}
.boxes rect.faint{stroke-width:1px;stroke-dasharray:4 4;opacity:.75}
.tag{position:absolute;font:600 11px/1.35 system-ui;padding:0 .35em;color:#fff;background:var(--own);border-radius:0 0 4px 0;white-space:nowrap}
@media screen and (prefers-color-scheme:dark){.tag{color:#111}}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:1rem;align-items:start}
.cards figure{break-inside:avoid;scroll-margin:1rem;min-width:0}
.cards figure.wrong .picture{outline:3px solid var(--bad);outline-offset:1px}
.cards figure:target .picture{outline:4px solid var(--warn);outline-offset:2px}
.cards .blank{aspect-ratio:16/9;display:grid;place-items:center;color:#999;font-size:.8rem;line-height:1.2}
.cards figcaption{font-size:.85rem;font-weight:400;margin:.35rem 0 0;display:flex;flex-wrap:wrap;gap:.1rem .5rem;overflow-wrap:anywhere}
.cards figcaption>span{min-width:0}
.chip{border-radius:99px;padding:0 .6em;font-size:.78rem;font-weight:600;color:var(--own,var(--quiet));background:color-mix(in srgb,var(--own,var(--quiet)) 15%,transparent)}
.chip.bad{--own:var(--bad)}.chip.good{--own:var(--good)}
.film{scroll-margin:1rem}
.screen{display:grid;grid-template-columns:minmax(0,1.7fr) minmax(0,1fr);gap:1.2rem;align-items:start;margin:.5rem 0 .75rem}
.screen .picture{aspect-ratio:var(--shape)}
.screen .picture img{height:100%;object-fit:fill}
.said{display:grid;gap:.5rem;font-size:.95rem}
.said .time{font-size:2rem;line-height:1;font-weight:600;font-variant-numeric:tabular-nums}
.said dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem .9rem;margin:0}
.said dt{color:var(--quiet)}.said dd{margin:0;overflow-wrap:anywhere}
button{font:inherit;font-size:.85rem;padding:.15rem .9rem;border:1px solid var(--line);border-radius:6px;background:var(--paper);color:inherit;cursor:pointer;justify-self:start}
.lanes{position:relative;display:grid;grid-template-columns:var(--gutter) minmax(0,1fr);row-gap:3px;font-size:.8rem;touch-action:pan-y;cursor:crosshair;outline-offset:4px}
.lanes>span{color:var(--quiet);align-self:center}
.lane{position:relative;height:22px;background:var(--card);border-radius:4px;overflow:hidden}
.lane.tall{height:56px}
.lane.strip{height:auto;display:flex;background:none;border-radius:8px}
.lane.strip img{flex:1 1 0;min-width:0;display:block;object-fit:cover;aspect-ratio:var(--shape)}
.lane i{position:absolute;top:0;bottom:0;background:var(--own,var(--quiet));border-radius:4px;min-width:2px;font:600 11px/22px system-ui;color:#fff;overflow:hidden;text-indent:.5em;white-space:nowrap}
.lane i.real{background:repeating-linear-gradient(135deg,var(--own) 0 5px,color-mix(in srgb,var(--own) 72%,var(--paper)) 5px 10px)}
.lane i.invented,.lane i.missed{box-shadow:inset 0 0 0 3px var(--bad)}
.lane i.missed{opacity:.55}
.lane i.dropped{background:none;border:1px dashed var(--quiet);box-sizing:border-box}
.lane svg{position:absolute;inset:0;width:100%;height:100%}
.lane .area{fill:color-mix(in srgb,var(--quiet) 45%,transparent)}
.lane .limit{stroke:var(--quiet);stroke-dasharray:3 3;stroke-width:1;vector-effect:non-scaling-stroke}
.lane .score{fill:none;stroke:var(--own);stroke-width:2;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.lane .kind{opacity:.85}
.kinds{display:flex;flex-wrap:wrap;gap:0 .9rem;font-size:.78rem;color:var(--quiet);padding-left:var(--gutter)}
.kinds span::before{content:"";display:inline-block;width:.7em;height:.7em;border-radius:2px;margin-right:.35em;background:var(--kind)}
.axis{position:relative;height:1.1rem;color:var(--quiet);font-variant-numeric:tabular-nums}
.axis span{position:absolute;transform:translateX(-50%)}.axis span:first-child{transform:none}
.needle{position:absolute;top:0;bottom:1.1rem;width:2px;margin-left:-1px;background:var(--bad);pointer-events:none;left:var(--gutter)}
.quiet.small{font-size:.85rem}
@media(max-width:48rem){.units{grid-template-columns:4.5rem 1fr}.units>span{grid-column:2}.screen{grid-template-columns:1fr}:root{--gutter:4.2rem}}
@media print{.screen,button,.needle{display:none}}
`
