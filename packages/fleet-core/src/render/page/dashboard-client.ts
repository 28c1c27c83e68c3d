/** Looks and deeds of the dashboard in the browser. What it shows was drawn and escaped by the server. */

export const DASHBOARD_STYLE = `
nav { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; margin-bottom: 1rem; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem .6rem; padding: 0; margin: 0; flex: 1; }
nav a { display: block; padding: .2rem .7rem; border: 1px solid var(--line); border-radius: 1rem; text-decoration: none; }
nav a[aria-current] { background: var(--odd); font-weight: 600; }
#enter { max-width: 30rem; margin: 15vh auto; }
input[type=password], .deed input { font: inherit; color: var(--text); background: var(--page); border: 1px solid var(--line); border-radius: 6px; padding: .25rem .5rem; }
.deed { margin: .5rem 0; } .deeds summary { color: var(--text); }
.wide td { white-space: nowrap; }
.audit { font-size: .85rem; color: var(--hush); }
`;

export const DASHBOARD_SCRIPT = `'use strict';
(() => {
  const LOCKS = 'cp/admin/fleet-locks';
  const one = (id) => document.getElementById(id);
  let token = sessionStorage.getItem('fleet-token');
  let turn = 0;

  const ask = async (path, options = {}) => {
    const headers = { authorization: 'Bearer ' + token, ...(options.body ? { 'content-type': 'application/json' } : {}) };
    const answer = await fetch(path, { cache: 'no-store', ...options, headers });
    if (answer.ok) return answer;
    const why = await answer.json().catch(() => ({}));
    throw Object.assign(new Error((why.detail || 'HTTP ' + answer.status) + ' ' + (why.next || '')), { status: answer.status });
  };
  const tell = (text) => { one('problem').textContent = text; one('problem').hidden = !text; };
  const leave = () => {
    turn++;
    token = null;
    sessionStorage.removeItem('fleet-token');
    one('part').replaceChildren();
    one('inside').hidden = true;
    one('enter').hidden = false;
  };
  const fail = (error) => {
    if (error.status === 401) leave();
    tell(error.message);
  };

  const groups = async (current) => {
    const { groups } = await (await ask(LOCKS)).json();
    one('groups').replaceChildren(...groups.map(({ group }) => {
      const [item, link] = [document.createElement('li'), document.createElement('a')];
      link.textContent = group;
      link.href = '#' + group;
      if (group === current) link.setAttribute('aria-current', 'page');
      item.append(link);
      return item;
    }));
    return groups.map(({ group }) => group);
  };
  const draw = async (path, mine) => {
    const text = await (await ask(path)).text();
    if (mine === turn) one('part').innerHTML = text;
  };
  /** Draws a group again after every change, for as long as it is looked at. */
  const follow = async (group, mine) => {
    while (mine === turn) {
      try {
        await draw(LOCKS + '/' + group + '/dashboard', mine);
        tell('');
        const version = one('part').querySelector('[data-version]')?.dataset.version;
        await ask(LOCKS + '/' + group + '?after_version=' + version + '&wait_seconds=25');
      } catch (error) {
        if (mine !== turn) return;
        fail(error);
        await new Promise((resolve) => setTimeout(resolve, 5000));
      }
    }
  };
  const show = async () => {
    if (!token) return;
    const mine = ++turn;
    try {
      const [wanted, claim] = decodeURIComponent(location.hash.slice(1)).split('/');
      const known = await groups(wanted);
      one('enter').hidden = true;
      one('inside').hidden = false;
      tell('');
      const group = known.includes(wanted) ? wanted : known[0];
      if (!group) return tell('There is no lock group yet.');
      if (group !== wanted) { location.hash = group; return; }
      if (claim) await draw(LOCKS + '/' + group + '/dashboard/' + claim, mine);
      else await follow(group, mine);
    } catch (error) {
      fail(error);
    }
  };

  one('enter').addEventListener('submit', (event) => {
    event.preventDefault();
    token = one('token').value.trim();
    one('token').value = '';
    sessionStorage.setItem('fleet-token', token);
    show();
  });
  one('leave').addEventListener('click', () => { leave(); tell(''); });
  one('part').addEventListener('submit', async (event) => {
    event.preventDefault();
    const form = event.target;
    const { reason, fencing_token: fence, confirm_alive: alive } = Object.fromEntries(new FormData(form));
    const group = form.closest('[data-group]').dataset.group;
    const body = { reason, actor: 'dashboard', ...(fence ? { fencing_token: Number(fence) } : {}), ...(alive ? { confirm_alive: true } : {}) };
    try {
      await ask(LOCKS + '/' + group + '/' + form.dataset.deed, { method: 'POST', body: JSON.stringify(body) });
      show();
    } catch (error) {
      fail(error);
    }
  });
  addEventListener('hashchange', show);
  show();
})();
`;
