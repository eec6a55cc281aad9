// Emotions over time as Plotly takes them: a panel for each analysis, one below the other on one axis of time, with a
// line for each emotion of a face. Where the face is missing the server sends null, and the line is broken; nothing is
// drawn between.

const style = () => getComputedStyle(document.body);
const colour = (name) => style().getPropertyValue(`--${name}`).trim();

/**
 * @param {{data: object, face: object | null, label: string}[]} panels from the top: chart.json, one of its faces, a title
 * @param {Set<string>} shown emotions that are drawn
 */
export function figure(panels, shown) {
  return { traces: panels.flatMap((panel, place) => lines(panel, place, shown)), layout: layout(panels) };
}

function lines({ data, face, label }, place, shown) {
  if (!face) return [];
  const times = face.timestamp_s;
  // A point between two gaps has no line to be seen by.
  const alone = times.map((t, i) => (t !== null && times[i - 1] == null && times[i + 1] == null ? 5 : 0));
  return data.emotions.map((emotion) => ({
    x: times,
    y: face.probabilities[emotion],
    yaxis: axisName("y", place),
    name: emotion,
    legendgroup: String(place),
    legendgrouptitle: { text: label },
    visible: shown.has(emotion),
    mode: "lines+markers",
    line: { color: colour(emotion), width: times.length > 500 ? 1.5 : 2 },
    marker: { size: alone, color: colour(emotion), line: { width: 0 } },
    connectgaps: false,
    hovertemplate: "%{y:.0%}",
  }));
}

function layout(panels) {
  const axis = { gridcolor: colour("line"), zeroline: false, linecolor: colour("line"), fixedrange: false };
  const { duration_s: durationS } = panels[0].data;
  const atS = ticks(durationS);
  const gap = panels.length > 1 ? 0.12 : 0; // of the height, for the second title
  const height = (1 - gap) / panels.length;
  const tops = panels.map((_, place) => 1 - place * (height + gap));
  const probabilities = tops.map((top, place) => [
    axisName("yaxis", place),
    { ...axis, range: [0, 1.02], tickformat: ".0%", fixedrange: true, domain: [Math.max(0, top - height), top] },
  ]);
  return {
    margin: { l: 48, r: 12, t: panels.length > 1 ? 48 : 12, b: 40 }, // a title, and Plotly's buttons above it
    paper_bgcolor: colour("card"),
    plot_bgcolor: colour("card"),
    font: { family: style().fontFamily, size: 13, color: colour("soft") },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("soft"), activecolor: colour("accent") },
    showlegend: false,
    hovermode: "x unified",
    hoversubplots: "axis", // both panels tell their values at the time that is pointed at
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("ink") } },
    xaxis: {
      ...axis,
      anchor: axisName("y", panels.length - 1),
      spikecolor: colour("neutral"),
      spikethickness: 1,
      range: [0, durationS],
      title: { text: atS.length ? "Time in the recording" : "Time in the recording (s)", standoff: 8 },
      unifiedhovertitle: { text: "%{x:.2f} s" },
      ...(atS.length ? { tickvals: atS, ticktext: atS.map(clock) } : {}),
    },
    ...Object.fromEntries(probabilities),
    annotations: panels.map(({ label }, place) => ({
      text: label,
      showarrow: false,
      xref: "paper",
      yref: "paper",
      x: 0,
      y: tops[place],
      xanchor: "left",
      yanchor: "bottom",
      yshift: 4,
      font: { color: colour("ink"), weight: 600 },
    })),
    uirevision: "stay", // zoom survives a change of face, theme or comparison
  };
}

function axisName(kind, place) {
  return place ? `${kind}${place + 1}` : kind;
}

function ticks(durationS) {
  if (durationS < 10) return []; // Plotly's own, in seconds
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600].find((s) => durationS / s <= 9) ?? 7200;
  return Array.from({ length: Math.floor(durationS / step) + 1 }, (_, i) => i * step);
}

export function clock(seconds) {
  const whole = Math.floor(seconds);
  const two = (n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
