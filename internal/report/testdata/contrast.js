(() => {
  const parse = (text) => {
    const m = text.match(/^rgba?\(([^)]+)\)$/);
    if (!m) return null;
    const [r, g, b, a = 1] = m[1].split(/[ ,/]+/).map(Number);
    return { r, g, b, a };
  };
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((v) => {
      v /= 255;
      return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c === null || (c.a > 0 && c.a < 1)) return null;
      if (c.a === 1) return c;
    }
    return { r: 255, g: 255, b: 255, a: 1 };
  };
  const result = { Texts: 0, Worst: 21, Poor: [] };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = walker.nextNode(); n; n = walker.nextNode()) {
    const e = n.parentElement;
    if (!n.data.trim() || ["title", "desc"].includes(e.localName) || !e.getClientRects().length) continue;
    const style = getComputedStyle(e);
    const ink = parse(e.namespaceURI.endsWith("svg") ? style.fill : style.color);
    const behind = ground(e);
    result.Texts++;
    let contrast = 0;
    if (ink && behind && ink.a === 1) {
      const [low, high] = [luminance(ink), luminance(behind)].sort((a, b) => a - b);
      contrast = (high + 0.05) / (low + 0.05);
    }
    result.Worst = Math.min(result.Worst, contrast);
    if (contrast < 4.5) result.Poor.push(`${n.data.trim().slice(0, 40)} (${contrast.toFixed(2)})`);
  }
  return result;
})()
