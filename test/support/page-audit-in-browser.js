// Runs inside the page that is being looked at (read as text by page-audit.ts): the compiler's settings know no DOM.
(() => {
  /** [red, green, blue, alpha] of a computed colour. */
  const parse = (css) => {
    const numbers = [...css.matchAll(/[\d.]+/g)].map(([number]) => Number(number));
    return [numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 0, numbers[3] ?? 1];
  };

  /** Relative luminance as WCAG 2 defines it. */
  const luminance = ([red, green, blue]) => {
    const part = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue);
  };

  const behind = (element) => {
    for (let node = element; node !== null; node = node.parentElement) {
      const color = parse(getComputedStyle(node).backgroundColor);
      if (color[3] === 1) return color;
    }
    return [255, 255, 255, 1];
  };

  const contrast = (element) => {
    const style = getComputedStyle(element);
    const front = luminance(parse(element instanceof SVGElement ? style.fill : style.color));
    const back = luminance(behind(element));
    return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
  };

  const ownText = (element) =>
    [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim() !== "");

  const texts = [...document.body.querySelectorAll("*")]
    .filter((element) => ownText(element).length > 0 && element.getClientRects().length > 0)
    .map((element) => ({
      where: element.tagName,
      text: ownText(element)[0].textContent,
      contrast: contrast(element),
    }));

  const pictures = [...document.querySelectorAll("svg")]
    .map((svg) => ({ box: svg.getBoundingClientRect(), drawn: svg.viewBox.baseVal.width }))
    .filter(({ box }) => box.width > 0)
    .map(({ box, drawn }) => ({ width: box.width, height: box.height, scale: box.width / drawn }));

  return {
    texts,
    pictures,
    headingLevels: [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map((heading) =>
      Number(heading.tagName[1]),
    ),
    bareTables: [...document.querySelectorAll("table")].filter(
      (table) => table.caption === null || table.querySelector("th[scope=col]") === null,
    ).length,
    overflowPx: document.documentElement.scrollWidth - innerWidth,
    active: document.querySelectorAll("script, img, iframe, object, embed, form, [onerror], [onload]").length,
    pageColor: getComputedStyle(document.body).backgroundColor,
  };
})();
