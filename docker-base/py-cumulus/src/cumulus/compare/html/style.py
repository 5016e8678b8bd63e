"""The style of the report: one column on a telephone, pictures side by side on wide screens."""

__all__ = ["STYLE"]

STYLE = """
:root {
  color-scheme: light dark;
  --page: #ffffff; --raised: #f4f6f8; --text: #1b1f24; --quiet: #57606a; --line: #c8ced5;
  --link: #0b57a4; --void: #dfe3e7;
  --good: #0f5c3a; --bad: #9a3a00; --failed: #8a0f5f; --on: #ffffff;
  --del: #fbe3d2; --ins: #d7e8fb; --expected: #1b1f24; --actual: #1769c2; --difference: #a84a00;
  --changed: #d60093;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --raised: #1e2328; --text: #e8ebee; --quiet: #a3adb8; --line: #434b54;
    --link: #8cc2ff; --void: #3a4149;
    --good: #7fd6a8; --bad: #ffb27a; --failed: #ff9fdc; --on: #14171a;
    --del: #5a3014; --ins: #143a63; --expected: #e8ebee; --actual: #6fb4ff; --difference: #ffab5e;
    --changed: #ff5cc4;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
}
header, main, footer { max-width: 1320px; margin: 0 auto; padding: 0 16px; }
main { padding-bottom: 32px; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 20px 0 4px; }
h2 { font-size: 1.15rem; margin: 0; display: inline; }
summary h2, nav a { word-break: break-all; }
h3 { font-size: 1rem; margin: 0 0 4px; font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
h3 span { font-weight: 400; }
h3 .word { font-family: system-ui, "DejaVu Sans", sans-serif; color: var(--quiet); }
h1, h2, h3, p, dd, li, td, code { overflow-wrap: anywhere; }
a { color: var(--link); }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 8px; top: 8px; background: var(--page); padding: 8px; z-index: 1; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 2px; }
.quiet, .note, figcaption, footer { color: var(--quiet); font-size: .875rem; }
.badge {
  display: inline-block; padding: 1px 10px; border-radius: 999px; font-size: .8125rem;
  font-weight: 600; color: var(--on); background: var(--bad); white-space: nowrap;
}
.badge.equal { background: var(--good); }
.badge.failed, .badge.unreadable { background: var(--failed); }
.counts { display: flex; flex-wrap: wrap; gap: 8px; padding: 0; margin: 12px 0; list-style: none; }
.counts li { background: var(--raised); border-radius: 8px; padding: 8px 14px; }
.counts b { font-size: 1.25rem; margin-right: 6px; }
nav ol, .files { padding-left: 0; list-style: none; margin: 8px 0; }
nav li { padding: 4px 0; border-top: 1px solid var(--line); }
details { border: 1px solid var(--line); border-radius: 8px; margin: 12px 0; }
summary { padding: 10px 14px; cursor: pointer; background: var(--raised); border-radius: 8px; }
details > *:not(summary) { margin-left: 14px; margin-right: 14px; }
.differences { padding: 0; list-style: none; }
.difference { border-top: 1px solid var(--line); padding: 12px 0; }
.difference:first-child { border-top: 0; }
dl {
  display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 2px 14px; margin: 4px 0;
}
dt { color: var(--quiet); } dd { margin: 0; }
code, pre { font: .875rem/1.45 ui-monospace, "DejaVu Sans Mono", monospace; white-space: pre-wrap; }
pre { background: var(--raised); padding: 10px; border-radius: 6px; margin: 6px 0; }
pre { overflow-wrap: anywhere; }
del { background: var(--del); color: inherit; text-decoration: line-through 1px; }
ins { background: var(--ins); color: inherit; text-underline-offset: 3px; }
pre del, pre ins { display: block; text-decoration: none; }
figure { margin: 10px 0 4px; }
.pictures { display: grid; grid-template-columns: minmax(0, 1fr); gap: 12px; }
/* A difference and its histogram are always side by side, but on a telephone. */
@media (min-width: 660px) {
  .pictures { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .lines > :first-child { grid-column: 1 / -1; width: calc(50% - 6px); }
}
@media (min-width: 980px) {
  .lines, .images { grid-template-columns: repeat(3, minmax(0, 1fr)); }
  .lines > :first-child { grid-column: auto; width: auto; }
}
@media (min-width: 1280px) { .planes { grid-template-columns: repeat(4, minmax(0, 1fr)); } }
.pictures img { max-width: 100%; height: auto; border: 1px solid var(--line); }
.over { margin: 0 0 2px; font-size: .875rem; font-weight: 600; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--text); font: 11px system-ui, "DejaVu Sans", sans-serif; }
svg .title { font-weight: 600; font-size: 13px; }
svg image { image-rendering: pixelated; }
svg .axis { stroke: var(--quiet); } svg .void { fill: var(--void); }
svg .bar { fill: var(--actual); }
svg path { fill: none; stroke-linejoin: round; }
svg .expected { stroke: var(--expected); stroke-width: 1.2; stroke-dasharray: 4 3; }
svg .actual { stroke: var(--actual); stroke-width: 2.4; }
svg .expected.step { stroke: var(--quiet); stroke-width: 6; stroke-dasharray: none; opacity: .45; }
svg .actual.step { stroke-width: 1.8; }
svg .difference { stroke: var(--difference); stroke-width: 1.6; }
svg .outside { stroke: var(--difference); stroke-width: 2; }
svg .changed { stroke: var(--changed); stroke-width: 3; }
footer { border-top: 1px solid var(--line); padding-top: 12px; padding-bottom: 24px; }
@media (max-width: 480px) {
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; }
  dd { margin-bottom: 4px; }
}
@media print { details { break-inside: avoid; } }
"""
