// The events that the clients of this directory send.
const { EVENTS, TIMES, CONFLICT = -1, INVALID = -1 } = process.env;
export const url = process.env.URL;
export const gzip = 'GZIP' in process.env;

// Nested deeper than the server takes; larger than it takes, for clients that do not nest.
const deep = () => Array.from({ length: 80 }).reduce(value => ({ a: value }), 0);
const large = 'x'.repeat(1_200_000);

// The same events each time, but for the one that conflicts.
export function* rounds() {
  for (let time = 0; time < TIMES; time++) {
    yield Array.from({ length: EVENTS }, (_, n) => ({
      n,
      message: `event ${n}` + (time && n === +CONFLICT ? ' changed' : ''),
      ...(n === +INVALID && { deep: deep(), large }),
    }));
  }
}

export const sleep = ms => new Promise(done => setTimeout(done, ms));
