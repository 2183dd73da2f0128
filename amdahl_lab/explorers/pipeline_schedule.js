// What the pipeline explorer knows: the order of the passes, when each runs, what that keeps in memory,
// and the sentences about it. pipeline.js draws it. The orders are those of amdahl_lab.schedule.pipeline;
// tests/browser/test_pipeline_explorer.py holds the two together.

const SCHEDULES = {
  gpipe: { name: "GPipe", story: "All forward passes first, then all backward passes." },
  one_forward_one_backward: { name: "1F1B",
    story: "As soon as a backward pass can run it does, before the next forward pass." },
  interleaved: { name: "Interleaved",
    story: "Every worker holds several short parts of the model, so the pipeline fills sooner." },
};

// In an order a pass is [is it backward, which of the worker's parts, which micro-batch].
function alternating(forward, backward, ahead) {
  const first = Math.min(ahead, forward.length);
  const order = forward.slice(0, first);
  for (let k = first; k < forward.length; k += 1) order.push(forward[k], backward[k - first]);
  return order.concat(backward.slice(forward.length - first));
}

function orderOf(schedule, stages, M, chunks, stage) {
  const passes = (back, turns) => turns.map(([chunk, m]) => [back, chunk, m]);
  if (schedule !== "interleaved" || chunks === 1) {
    const turns = Array.from({ length: M }, (_, m) => [0, m]);
    if (schedule === "gpipe") return [...passes(0, turns), ...passes(1, [...turns].reverse())];
    return alternating(passes(0, turns), passes(1, turns), stages - 1 - stage);
  }
  const turns = Array.from({ length: M * chunks }, (_, turn) => [
    Math.floor(turn / stages) % chunks,
    Math.floor(turn / (stages * chunks)) * stages + (turn % stages),
  ]);
  const back = turns.map(([chunk, m]) => [chunks - 1 - chunk, m]);
  return alternating(passes(0, turns), passes(1, back),
    2 * (stages - 1 - stage) + (chunks - 1) * stages);
}

const pipelineFormulas = {
  // Every pass as {stage, back, chunk, m, start, end}; `forward` and `backward` hold the time of a pass
  // of each stage, `send` the time between two workers, all in one unit.
  passes(schedule, stages, M, chunks, forward, backward, send) {
    const orders = Array.from({ length: stages }, (_, s) => orderOf(schedule, stages, M, chunks, s));
    const parts = stages * chunks;
    const ends = [0, 1].map(() => Array.from({ length: parts }, () => new Array(M)));
    const [next, free, found] = [new Array(stages).fill(0), new Array(stages).fill(0), []];
    for (let moved = true; moved;) {
      moved = false;
      for (let s = 0; s < stages; s += 1) {
        for (; next[s] < orders[s].length; next[s] += 1) {
          const [back, chunk, m] = orders[s][next[s]];
          const part = chunk * stages + s;
          // Forward waits for the part before; backward for the part behind, the last for itself.
          const [kind, source] = back ? (part === parts - 1 ? [0, part] : [1, part + 1]) : [0, part - 1];
          const ready = source < 0 ? 0 : ends[kind][source][m];
          if (ready === undefined) break;
          const lag = source >= 0 && source % stages !== s ? send : 0;
          const start = Math.max(free[s], ready + lag);
          free[s] = start + (back ? backward : forward)[s];
          ends[back][part][m] = free[s];
          found.push({ stage: s, back, chunk, m, start, end: free[s] });
          moved = true;
        }
      }
    }
    return found;
  },
  seconds: (...settings) => Math.max(...pipelineFormulas.passes(...settings).map((pass) => pass.end)),
  // The most parts of micro-batches whose backward pass each worker owes at one time.
  peakLive(schedule, stages, M, chunks) {
    return Array.from({ length: stages }, (_, stage) => {
      let [live, most] = [0, 0];
      for (const [back] of orderOf(schedule, stages, M, chunks, stage)) {
        live += back ? -1 : 1;
        most = Math.max(most, live);
      }
      return most;
    });
  },
  bubble: (stages, M, chunks) => (stages - 1) / (M * chunks + stages - 1),
};

// The interleaved order needs micro-batches in whole rounds of the stages.
function wholeRounds(schedule, stages, M) {
  return schedule === "interleaved" ? Math.max(1, Math.round(M / stages)) * stages : M;
}

const slowStage = (stages) => Math.floor(stages / 2);

// All settings as the arguments of `passes`. The unit is the step of one worker whose stages are even.
function settings({ schedule, stages, micro_batches, chunks, ratio, slow, send }) {
  const M = wholeRounds(schedule, stages, micro_batches);
  const v = schedule === "interleaved" && stages > 1 ? chunks : 1;
  const unit = 1 / ((1 + ratio) * stages * v * M);
  const forward = Array.from({ length: stages }, (_, s) =>
    unit * (s === slowStage(stages) ? 1 + slow : 1));
  return [schedule, stages, M, v, forward, forward.map((f) => ratio * f), send / ((1 + ratio) * stages * M)];
}

const TRAITS = ["schedule", "stages", "micro_batches", "chunks", "ratio", "slow", "send"];

function readPipeline(model) {
  const q = Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
  const at = settings(q);
  const [, stages, M, v] = at;
  const passes = pipelineFormulas.passes(...at);
  const total = Math.max(...passes.map((pass) => pass.end));
  const busy = passes.reduce((sum, pass) => sum + pass.end - pass.start, 0);
  const even = pipelineFormulas.seconds(...settings({ ...q, slow: 0 }));
  return {
    q, stages, M, v, passes, total, slowCost: total / even - 1,
    speedup: 1 / total,
    bubble: 1 - busy / (stages * total),
    live: pipelineFormulas.peakLive(...at.slice(0, 4)).map((parts) => parts / v),
  };
}

const speedupAt = (q, M) => 1 / pipelineFormulas.seconds(...settings({ ...q, micro_batches: M }));

function pipelineSentence({ q, stages, M, v, speedup, bubble, live, slowCost }) {
  const parts = v > 1 ? `, ${v} parts on each worker` : "";
  const slow = q.slow > 0
    ? ` The slow stage makes the step ${percent(slowCost, 2)} longer.` : "";
  return `${SCHEDULES[q.schedule].name}, ${stages} stages, ${M} micro-batch${M > 1 ? "es" : ""}${parts}: `
    + `${number(speedup)} times as fast as one worker; workers wait ${percent(bubble, 2)} of the time. `
    + `The first stage keeps up to ${number(live[0])} micro-batch${live[0] === 1 ? "" : "es"} `
    + `of its activations.${slow}`;
}
