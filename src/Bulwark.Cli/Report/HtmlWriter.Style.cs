namespace Bulwark.Cli.Report;

internal static class HtmlWriterStyle
{
    /// <summary>Adds the stylesheet, the one constant that is written as it is.</summary>
    internal static HtmlWriter Style(this HtmlWriter html) => html.Add($$$$"""
        :root{--paper:#fff;--card:#f6f7f9;--ink:#161b22;--soft:#4d5866;--rule:#d9dee5;--grid:#e6e9ee;--accent:#0a5a8c;
        --good:#0f6b3d;--good-bg:#e3f3ea;--bad:#a02c12;--bad-bg:#fbe9e4;--quiet:#4d5866;--quiet-bg:#eceff3;--warn-bg:#fff6dd;--warn:#6b4a00;--warn-rule:#e3b94f;
        --s0:#6d7785;--s1:#0a66a8;--s2:#c2500a;--s3:#0a7d5c;--s4:#8f3f97;--s5:#8a6a00;--s6:#b0295e;--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
        @media (prefers-color-scheme:dark){:root{--paper:#0f1318;--card:#171d24;--ink:#e8ecf1;--soft:#a5b0bd;--rule:#2d3641;--grid:#232b34;--accent:#7cc0ee;
        --good:#6fd6a0;--good-bg:#12301f;--bad:#ff9d82;--bad-bg:#3a1a12;--quiet:#a5b0bd;--quiet-bg:#232b34;--warn-bg:#2d2410;--warn:#f1d38a;--warn-rule:#7d6220;
        --s0:#8b96a4;--s1:#5cb3f5;--s2:#ff9a57;--s3:#45cfa0;--s4:#d79be0;--s5:#e0c04a;--s6:#ff85ad}}
        *{box-sizing:border-box}html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
        body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif;overflow-wrap:break-word}
        main{max-width:1120px;margin:0 auto;padding:0 32px 48px}
        .skip{position:absolute;left:-9999px}.skip:focus{left:16px;top:8px}
        h1,h2,h3,p,ul,ol,dl,dd,figure{margin:0;padding:0}ul,ol{list-style:none}
        h1{font-size:2.35rem;line-height:1.15;letter-spacing:-.022em;max-width:30ch;text-wrap:balance}
        h2{font-size:1.5rem;line-height:1.25;letter-spacing:-.012em}h3{font-size:1.02rem;line-height:1.35}
        a{color:var(--accent)}a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
        section{padding-top:56px}section>h2{margin-bottom:14px}section>h3{margin:30px 0 10px}
        .text,.lead{max-width:68ch;color:var(--soft)}.text{margin-bottom:18px}.note{display:block;font-size:.86rem;color:var(--soft);line-height:1.45}
        .brand{padding:26px 0 42px;font-weight:700;letter-spacing:-.01em;display:flex;justify-content:space-between;gap:16px}.brand span{font-weight:400;color:var(--soft);font-size:.9rem}
        .lead{margin-top:14px;font-size:1.1rem}
        .verdict{display:flex;gap:12px;align-items:flex-start;margin-top:26px;padding:14px 18px;border-radius:10px;font-size:1.12rem;font-weight:600;line-height:1.4}
        .verdict.good{background:var(--good-bg);color:var(--good)}.verdict.bad{background:var(--bad-bg);color:var(--bad)}.verdict.quiet{background:var(--quiet-bg);color:var(--quiet)}.dot{font-weight:700}
        .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));margin-top:22px;border:1px solid var(--rule);border-radius:10px;overflow:hidden}
        .figures>div{box-shadow:0 0 0 .5px var(--rule);padding:16px 18px 15px}.figures dt{font-size:.86rem;color:var(--soft)}.figures dd:nth-of-type(1){font-size:1.7rem;font-weight:650;letter-spacing:-.02em;line-height:1.25;font-variant-numeric:tabular-nums}
        .warnings{margin-top:22px;padding:14px 18px;border-radius:10px;background:var(--warn-bg);border-left:4px solid var(--warn-rule);color:var(--warn)}.warnings h2{font-size:.95rem;letter-spacing:0;margin-bottom:4px}.warnings li{font-size:.95rem}.warnings li+li{margin-top:4px}
        nav{margin-top:26px;border-top:1px solid var(--rule);padding-top:12px}nav ul{display:flex;flex-wrap:wrap;gap:4px 22px}nav a{text-decoration:none;font-size:.93rem;display:inline-block;padding:4px 0}nav a:hover{text-decoration:underline}
        .steps{counter-reset:step;border-top:1px solid var(--rule)}.steps>li{counter-increment:step;position:relative;padding:15px 0 15px 46px;border-bottom:1px solid var(--rule)}
        .steps>li::before{content:counter(step);position:absolute;left:0;top:15px;width:26px;height:26px;border-radius:50%;font-size:.82rem;font-weight:650;line-height:26px;text-align:center;background:var(--good-bg);color:var(--good)}
        .steps>li.bad::before{background:var(--bad-bg);color:var(--bad)}.steps>li.quiet::before{background:var(--quiet-bg);color:var(--quiet)}
        .head{display:flex;justify-content:space-between;gap:16px;align-items:baseline}.time{color:var(--soft);font-size:.88rem;white-space:nowrap;font-variant-numeric:tabular-nums}.bad .time{color:var(--bad);font-weight:650}.steps p{max-width:78ch}
        details{margin-top:6px}summary{cursor:pointer;color:var(--accent);font-size:.88rem;padding:3px 0;width:fit-content}
        .facts{font-size:.9rem;margin:8px 0}.facts>div{display:grid;grid-template-columns:minmax(120px,190px) 1fr;gap:14px;padding:5px 0;border-top:1px solid var(--grid)}.facts dt{color:var(--soft)}.facts dd{overflow-wrap:anywhere}.mono dd{font-family:var(--mono);font-size:.84rem}
        pre{margin:3px 0 0;padding:9px 13px;background:var(--card);border:1px solid var(--rule);border-radius:7px;overflow-x:auto}code{font-family:var(--mono);font-size:.84rem}pre code{white-space:pre}
        .command{margin-top:8px}.command>span{font-size:.84rem;color:var(--soft)}
        .checks{display:grid;grid-template-columns:minmax(0,1fr);gap:14px}.checks span{font-size:.94rem}
        .tally{display:flex;gap:22px;flex-wrap:wrap;margin-bottom:14px}.tally li{font-size:.95rem}.tally b{font-size:1.15rem;font-variant-numeric:tabular-nums}.tally .good{color:var(--good)}.tally .bad{color:var(--bad)}.tally .quiet{color:var(--quiet)}
        .scroll+.note{margin-top:8px}.line.bins{stroke-dasharray:none!important}.scroll{overflow-x:auto;border:1px solid var(--rule);border-radius:10px}
        table{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:tabular-nums}th,td{text-align:left;vertical-align:top;padding:10px 14px;border-top:1px solid var(--rule)}thead th{border-top:0;background:var(--card);font-weight:600;font-size:.84rem;color:var(--soft);white-space:nowrap}.n{text-align:right;white-space:nowrap}
        .scroll>table:not(.claims) td:first-child{white-space:nowrap}
        .claims th[scope=row]{font-weight:600;width:21%}.claims td:nth-child(2){color:var(--soft);width:25%}.claims .note{margin-top:3px}.claims code.note{overflow-wrap:anywhere;font-size:.78rem}
        .pill{display:inline-block;padding:2px 11px;border-radius:99px;font-size:.84rem;font-weight:600;white-space:nowrap}.pill.good{background:var(--good-bg);color:var(--good)}.pill.bad{background:var(--bad-bg);color:var(--bad)}.pill.quiet{background:var(--quiet-bg);color:var(--quiet)}
        .charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr));gap:22px}
        figure{border:1px solid var(--rule);border-radius:10px;padding:18px 20px 12px;min-width:0;display:flex;flex-direction:column}figure>details{padding-top:6px}.ylabel{margin-top:auto}figcaption p{font-size:.9rem;color:var(--soft);margin-top:3px;line-height:1.45}
        figure .scroll{margin-top:6px}figure table{font-size:.84rem}figure th,figure td{padding:6px 10px}
        .legend{display:flex;flex-wrap:wrap;gap:2px 16px;margin:12px 0 0;font-size:.86rem}.legend li{display:flex;align-items:center;gap:7px}.key{width:26px;height:10px;flex:none}.swatch{width:12px;height:12px;border-radius:3px;background:currentColor}
        .ylabel{font-size:.78rem;color:var(--soft);padding:10px 0 2px}
        .plot{display:block;width:100%;height:auto;overflow:visible}.plot text{font-size:12px;fill:var(--soft);font-variant-numeric:tabular-nums}.plot .level-label{fill:var(--ink);font-weight:600}
        .grid path{stroke:var(--grid);stroke-width:1}.axis{fill:none;stroke:var(--rule);stroke-width:1}.level{stroke:var(--ink);stroke-width:1.4;stroke-dasharray:7 4}
        .line,.interval{fill:none;stroke:currentColor;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}.interval{stroke-width:1.4;opacity:.65}.reference{fill:none;stroke:currentColor;stroke-width:1.3;stroke-dasharray:1.5 4;stroke-linecap:round}
        .area{fill:currentColor;opacity:.16}.mark{fill:var(--paper);stroke:currentColor;stroke-width:2}
        .s0{color:var(--s0)}.s1{color:var(--s1)}.s2{color:var(--s2)}.s3{color:var(--s3)}.s4{color:var(--s4)}.s5{color:var(--s5)}.s6{color:var(--s6)}
        .line.s2{stroke-dasharray:9 4}.line.s3{stroke-dasharray:3 4}.line.s4{stroke-dasharray:11 4 2 4}.line.s5{stroke-dasharray:5 3}.line.s6{stroke-dasharray:14 5}
        .bars{margin-top:8px}.bars th,.bars td{padding:7px 0;border-top:1px solid var(--grid)}.bars tbody tr:first-child>*{border-top:0}.bars th{font-weight:500;width:38%;padding-right:16px}.bar{display:flex;align-items:center;gap:8px;min-height:22px}
        .fill{display:block;height:14px;min-width:2px;border-radius:0 3px 3px 0;background:currentColor;flex:none}.fill.below{opacity:.45}.value{white-space:nowrap}.none{color:var(--soft);font-size:.82rem}
        .unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
        footer{margin-top:56px;padding-top:16px;border-top:1px solid var(--rule);color:var(--soft);font-size:.88rem}
        @media (max-width:640px){main{padding:0 18px 36px}h1{font-size:1.8rem}.brand{padding:18px 0 26px}section{padding-top:42px}.figures{grid-template-columns:1fr 1fr}.figures>div{padding:12px 13px}.figures dd:nth-of-type(1){font-size:1.4rem}
        .plot text{font-size:15px}.plot .ticks text{font-size:14px}figure{padding:14px 13px 10px}.steps>li{padding-left:38px}.facts>div{grid-template-columns:1fr;gap:0}
        .claims thead{display:none}.claims,.claims tbody,.claims tr,.claims td,.claims th{display:block;width:auto!important}.claims tr{padding:12px 14px;border-top:1px solid var(--rule)}.claims tr:first-child{border-top:0}.claims td,.claims th{border:0;padding:2px 0}.claims td::before{content:attr(data-head) ": ";color:var(--soft);font-size:.84rem}}
        @media print{:root{--paper:#fff;--card:#f6f7f9;--ink:#000;--soft:#444}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}main{max-width:none;padding:0}nav,.skip{display:none}figure,.steps>li,tr{break-inside:avoid}h2,h3{break-after:avoid}details::details-content{content-visibility:visible;display:block}pre code{white-space:pre-wrap}.scroll{overflow:visible}body{font-size:11pt}section{padding-top:26pt}}
        @media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
        """);
}
