#pragma once

namespace infoscissors::report {

/// The page's style sheet. The colours of the curves are Okabe and Ito's, lightened in the dark.
inline constexpr const char* kStyle = R"css(
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#59636e;--page:#fff;--panel:#f5f6f8;--edge:#d9dde3;--accent:#0b5cad;
--leak:#c2410c;--bar:#f0b694;--warn:#fff4d6;--warn-edge:#b58100;--s0:#0072b2;--s1:#d55e00;--s2:#008060;--s3:#a3457f}
@media (prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a4acb6;--page:#14171b;--panel:#1d2126;--edge:#363c44;
--accent:#7db8f5;--leak:#ff9d66;--bar:#7a4526;--warn:#332a10;--warn-edge:#e0b040;--s0:#56b4e9;--s1:#f0883e;--s2:#3ccf9e;
--s3:#e199c4}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
header,main,footer{max-width:70rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2.25rem}
h1{font-size:1.75rem;line-height:1.2;margin:0}
h2{font-size:1.3rem;margin:2.5rem 0 .5rem}
h3{font-size:1.05rem;margin:0 0 .75rem;overflow-wrap:anywhere}
.lead,.note,small,.unit,footer{color:var(--soft)}
.lead{margin:.35rem 0 0}
.note,footer{font-size:.875rem}
p,ul{max-width:46rem}
.findings{padding-left:1.15rem}
.findings li{margin:.5rem 0}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.9em}
code{overflow-wrap:break-word}
.scroll{overflow-x:auto;max-width:100%;border:1px solid var(--edge);border-radius:.5rem;margin:.75rem 0}
.fit{width:fit-content}
.scroll:focus-visible,summary:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:.925rem}
th,td{padding:.5rem .75rem;text-align:left;vertical-align:top;border-top:1px solid var(--edge)}
thead th{border-top:0;background:var(--panel);vertical-align:bottom;font-weight:600}
thead code{white-space:nowrap}
th small{display:block;font-weight:400;font-size:.8rem}
tbody th{font-weight:600}
tr>th:first-child{position:sticky;left:0;z-index:1}
tbody th{background:var(--page)}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
thead .number{white-space:normal}
.none{color:var(--soft)}
.bar{display:block;height:4px;border-radius:2px;margin-top:.3rem;min-width:4rem;print-color-adjust:exact;
background:linear-gradient(to right,var(--bar) var(--share),var(--panel) var(--share))}
.strongest{font-weight:700}
.strongest .bar{background:linear-gradient(to right,var(--leak) var(--share),var(--panel) var(--share))}
.mark{color:var(--leak);font-size:.8em}
.pictures{width:auto;border-collapse:separate;border-spacing:0}
.pictures th,.pictures td{border:0;padding:.25rem}
.pictures th[scope=row]{width:13rem;min-width:13rem;
padding:.25rem .75rem;vertical-align:middle;overflow-wrap:anywhere}
.pictures .run th{padding:.6rem 0 .2rem;border-top:1px solid var(--edge);text-align:left;position:static}
.pictures .run span{position:sticky;left:.75rem;display:inline-block;color:var(--accent);font-weight:700;
font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.875rem}
.pictures td{text-align:center}
.pictures img{display:block;width:4.5rem;height:4.5rem;object-fit:contain;image-rendering:pixelated;border-radius:2px;
outline:1px solid var(--edge)}
.violated{color:var(--leak)}
.certificates .run th{border-top:1px solid var(--edge);color:var(--accent)}
.certificates .assumption{font-size:.8rem;color:var(--soft);min-width:18rem}
.certificates .assumption p{margin:.25rem 0 0}
.ssim{font-size:.78rem;color:var(--soft);font-variant-numeric:tabular-nums}
strong{white-space:nowrap}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
article{border:1px solid var(--edge);border-radius:.75rem;padding:1.1rem 1.25rem;margin:1rem 0}
.status{font-size:.75rem;font-weight:600;border:1px solid currentColor;border-radius:1rem;padding:.1rem .55rem;
color:var(--soft);margin-left:.35rem}
.status:not(.complete){color:var(--leak)}
.warning{background:var(--warn);border-left:4px solid var(--warn-edge);border-radius:.25rem;padding:.6rem .9rem;margin:.75rem 0}
.warning ul{margin:.25rem 0 0;padding-left:1.1rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,17rem),1fr));gap:1rem 1.5rem;margin:.5rem 0 1rem}
figure{margin:0;min-width:0;max-width:26rem}
figcaption{font-weight:600;font-size:.925rem}
.unit{font-weight:400;font-size:.85rem}
svg{display:block;width:100%;height:auto;overflow:visible}
.axis text{fill:var(--soft);font-size:11px}
.axis line{stroke:var(--soft)}
.axis .rule{stroke:var(--edge)}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
.s0{stroke:var(--s0);fill:var(--s0)}.s1{stroke:var(--s1);fill:var(--s1)}
.s2{stroke:var(--s2);fill:var(--s2)}.s3{stroke:var(--s3);fill:var(--s3)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.15rem 1rem;margin:.25rem 0 0;padding:0;font-size:.85rem}
.legend li{display:flex;align-items:center;gap:.4rem}
.legend svg{width:30px;height:12px;flex:none}
details{margin:.5rem 0}
summary{cursor:pointer;font-weight:600;color:var(--accent)}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.2rem 1rem;margin:.5rem 0;font-size:.9rem}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
pre{margin:0;padding:.75rem 1rem;font-size:.85rem;line-height:1.45}
footer{padding-top:1rem;padding-bottom:2.5rem}
@media (max-width:40rem){body{font-size:15px}header,main,footer{padding-left:.9rem;padding-right:.9rem}
h1{font-size:1.45rem}article{padding:.9rem}
.pictures th[scope=row]{width:6.5rem;min-width:6.5rem;font-size:.8rem;padding:.25rem .5rem}
.pictures img{width:3.75rem;height:3.75rem}dl{grid-template-columns:minmax(0,1fr)}dd{margin-bottom:.4rem}}
@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--page:#fff;--panel:#eee;--edge:#bbb;--accent:#000;--leak:#000;
--bar:#999;--warn:#fff;--warn-edge:#000;--s0:#0072b2;--s1:#d55e00;--s2:#008060;--s3:#a3457f}
body{font-size:10pt}header,main,footer{max-width:none;padding-left:0;padding-right:0}
.scroll{overflow:visible;border:0}tr,figure,.warning{break-inside:avoid}h2,h3{break-after:avoid}
.pictures img{width:1.5cm;height:1.5cm}.pictures th[scope=row]{width:3.5cm;min-width:0}}
)css";

}  // namespace infoscissors::report
