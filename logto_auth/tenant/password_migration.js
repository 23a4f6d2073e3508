// logto_auth: password migration, version 1
// Installed by manage.py logto_setup. Logto runs it when a sign-in with a password has failed. It asks the site whether
// the password is the one that the user had there. Environment variables: URL and KEY.
const runAction = async ({ event, environmentVariables }) => {
  // SHA-256 and HMAC in the language alone, because a script can rely on nothing else than `fetch`.
  const bytesOf = (text) => Array.from(unescape(encodeURIComponent(text)), (each) => each.charCodeAt(0));
  const constants = [];
  const initial = [];
  const fraction = (number) => ((number - Math.floor(number)) * 4294967296) | 0;
  for (let candidate = 2; constants.length < 64; candidate += 1) {
    let isPrime = true;
    for (let factor = 2; factor * factor <= candidate; factor += 1) {
      if (candidate % factor === 0) {
        isPrime = false;
      }
    }
    if (isPrime) {
      if (initial.length < 8) {
        initial.push(fraction(Math.sqrt(candidate)));
      }
      constants.push(fraction(Math.cbrt(candidate)));
    }
  }
  const rotated = (word, by) => (word >>> by) | (word << (32 - by));
  const sha256 = (message) => {
    const bytes = [...message, 0x80];
    while (bytes.length % 64 !== 56) {
      bytes.push(0);
    }
    const bits = message.length * 8;
    const high = Math.floor(bits / 4294967296);
    for (const word of [high, bits]) {
      bytes.push((word >>> 24) & 255, (word >>> 16) & 255, (word >>> 8) & 255, word & 255);
    }
    const state = [...initial];
    for (let start = 0; start < bytes.length; start += 64) {
      const words = [];
      for (let index = 0; index < 64; index += 1) {
        if (index < 16) {
          const at = start + index * 4;
          words.push((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]);
        } else {
          const low = words[index - 15];
          const late = words[index - 2];
          const first = rotated(low, 7) ^ rotated(low, 18) ^ (low >>> 3);
          const second = rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10);
          words.push((words[index - 16] + first + words[index - 7] + second) | 0);
        }
      }
      let [a, b, c, d, e, f, g, h] = state;
      for (let index = 0; index < 64; index += 1) {
        const sum = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
        const choice = (e & f) ^ (~e & g);
        const one = (h + sum + choice + constants[index] + words[index]) | 0;
        const other = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
        const majority = (a & b) ^ (a & c) ^ (b & c);
        const two = (other + majority) | 0;
        [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
      }
      [a, b, c, d, e, f, g, h].forEach((word, index) => {
        state[index] = (state[index] + word) | 0;
      });
    }
    return state.flatMap((word) => [(word >>> 24) & 255, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]);
  };
  const hmac = (key, message) => {
    const short = key.length > 64 ? sha256(key) : key;
    const padded = [...short, ...new Array(64 - short.length).fill(0)];
    const inner = sha256([...padded.map((byte) => byte ^ 0x36), ...message]);
    return sha256([...padded.map((byte) => byte ^ 0x5c), ...inner]);
  };

  const body = JSON.stringify({
    user_id: event.user ? event.user.id : null,
    identifier: event.identifier,
    password: event.password,
  });
  const time = String(Math.floor(Date.now() / 1000));
  const signature = hmac(bytesOf(environmentVariables.KEY), bytesOf(`${time}.${body}`))
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
  const response = await fetch(environmentVariables.URL, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "logto-auth-time": time,
      "logto-auth-signature": signature,
    },
    body,
    // The password goes to this URL and to no other.
    redirect: "error",
  });
  if (!response.ok || !event.user) {
    return undefined;
  }
  const answer = await response.json();
  // `user` has no changes: Logto stores the password that was typed, and nothing else.
  return answer.verified === true ? { action: "updateUser", user: {}, passwordVerified: true } : undefined;
};
