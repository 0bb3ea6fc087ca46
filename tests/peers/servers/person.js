// A person with a browser: opens the page, goes wherever it leads, agrees to every form.
// node person.js URL
const jar = new Map();

async function go(url, form) {
  for (let steps = 0; steps < 20; steps += 1) {
    const headers = { cookie: [...(jar.get(url.host) ?? new Map())].map(([name, value]) => `${name}=${value}`).join("; ") };
    const body = form && new URLSearchParams(form);
    const response = await fetch(url, { redirect: "manual", headers, method: body ? "POST" : "GET", body });
    const cookies = jar.get(url.host) ?? jar.set(url.host, new Map()).get(url.host);
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      if (value) cookies.set(name, value);
      else cookies.delete(name);
    }
    const page = await response.text();
    const location = response.headers.get("location");
    if (location) {
      [url, form] = [new URL(location, url), undefined];
      continue;
    }
    const asked = /<form [^>]*action="([^"]+)"[^>]*>(.*?)<\/form>/s.exec(page);
    if (!asked) return console.log(response.status, page.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ").trim());
    form = Object.fromEntries([...asked[2].matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]));
    if (/name="confirm"/.test(page)) form.confirm = "yes";
    url = new URL(asked[1].replaceAll("&amp;", "&"), url);
  }
  throw new Error("it leads nowhere");
}

go(new URL(process.argv[2]));
