/** What the page does besides being read: find, copy, zoom. It builds no markup from texts. */
export const SCRIPT = `'use strict';
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  for (const one of all('[data-script]')) one.hidden = false;

  const copy = async (button) => {
    const text = button.parentElement.querySelector('pre');
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(text);
      button.textContent = 'Selected';
    }
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  };

  const plot = document.getElementById('plot');
  let zoom = 1;
  const scale = (by) => {
    const box = plot.parentElement;
    const middle = (box.scrollLeft + box.clientWidth / 2) / box.scrollWidth;
    zoom = by ? Math.min(64, Math.max(1, zoom * by)) : 1;
    plot.setAttribute('width', zoom * 100 + '%');
    plot.setAttribute('class', zoom >= 16 ? 'near nearer' : zoom >= 4 ? 'near' : '');
    box.scrollLeft = middle * box.scrollWidth - box.clientWidth / 2;
  };

  document.addEventListener('click', ({ target }) => {
    const button = target.closest('button');
    if (button?.matches('[data-copy]')) copy(button);
    if (button?.matches('[data-zoom]')) scale(Number(button.dataset.zoom));
  });

  const search = document.getElementById('search');
  const found = document.getElementById('found');
  const greens = document.getElementById('greens');
  const folded = greens && !greens.open;
  const rows = all('.tenants tbody tr');
  let texts;
  const find = () => {
    texts ??= rows.map((row) => row.textContent.toLowerCase() + [...row.querySelectorAll('[title]')].map((one) => one.title).join(' '));
    const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
    const show = document.querySelector('[name=show]:checked').value;
    let count = 0;
    rows.forEach((row, index) => {
      const fits = words.every((word) => texts[index].includes(word));
      row.hidden = !fits;
      if (fits && (show === 'all' || row.closest('table').id === show)) count++;
    });
    for (const id of ['open', 'proven']) {
      const table = document.getElementById(id);
      if (table) (table.closest('details') ?? table).hidden = show !== 'all' && show !== id;
    }
    if (greens) greens.open = words.length > 0 || show === 'proven' || !folded;
    found.textContent = words.length ? count + ' found' : '';
  };
  search?.addEventListener('input', find);
  for (const one of all('[name=show]')) one.addEventListener('change', find);
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input')) return;
    event.preventDefault();
    search?.focus();
  });
})();
`;
