// Emotions over time, by Plotly: a line for each emotion of the chosen face. Where the face is missing the server sends
// null, and the line is broken; nothing is drawn between.

const style = () => getComputedStyle(document.body);
const colour = (name) => style().getPropertyValue(`--${name}`).trim();

export async function drawChart(chart) {
  const note = chart.querySelector("#chart-note");
  chart.hidden = false;
  let data;
  try {
    const response = await fetch(chart.dataset.url);
    if (!response.ok) throw new Error(response.status);
    data = await response.json();
  } catch {
    note.textContent = "The chart could not be loaded. Reload the page; the CSV has the same data.";
    return;
  }
  const plot = chart.querySelector("#plot");
  const select = fillFaces(chart, data.faces);
  const buttons = [...chart.querySelectorAll(".emotion")];
  const draw = () => {
    const face = data.faces[select.selectedIndex];
    const shown = new Set(buttons.filter((b) => b.getAttribute("aria-pressed") === "true").map((b) => b.dataset.emotion));
    window.Plotly.react(plot, lines(data, face, shown), layout(data), {
      displaylogo: false,
      displayModeBar: "hover",
      modeBarButtons: [["toImage"], ["zoomIn2d", "zoomOut2d", "resetScale2d"]],
      toImageButtonOptions: { filename: `emotions-face-${face.face_id}`, scale: 2 },
    });
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
      draw();
    });
  }
  select.addEventListener("change", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  note.textContent =
    data.frames_per_point > 1
      ? `Each point is the mean of ${data.frames_per_point} frames; the CSV has every frame. Drag to zoom, double-click to zoom out.`
      : "Each point is one frame. Drag to zoom, double-click to zoom out.";
  draw();
  new ResizeObserver(() => window.Plotly.Plots.resize(plot)).observe(plot);
}

function fillFaces(chart, faces) {
  const select = chart.querySelector("#face");
  for (const face of faces) {
    const times = face.timestamp_s;
    select.add(new Option(`${face.face_id} (${clock(times[0])} to ${clock(times.at(-1))})`));
  }
  chart.querySelector("#face-field").hidden = faces.length < 2;
  const longest = faces.reduce((best, face, i) => (face.timestamp_s.length > faces[best].timestamp_s.length ? i : best), 0);
  select.selectedIndex = longest;
  return select;
}

function lines(data, face, shown) {
  const times = face.timestamp_s;
  // A point between two gaps has no line to be seen by.
  const alone = times.map((t, i) => (t !== null && times[i - 1] == null && times[i + 1] == null ? 5 : 0));
  return data.emotions.map((emotion) => ({
    x: times,
    y: face.probabilities[emotion],
    name: emotion,
    visible: shown.has(emotion),
    mode: "lines+markers",
    line: { color: colour(emotion), width: times.length > 500 ? 1.5 : 2 },
    marker: { size: alone, color: colour(emotion), line: { width: 0 } },
    connectgaps: false,
    hovertemplate: "%{y:.0%}",
  }));
}

function layout(data) {
  const axis = { gridcolor: colour("line"), zeroline: false, linecolor: colour("line"), fixedrange: false };
  const atS = ticks(data.duration_s);
  return {
    margin: { l: 48, r: 12, t: 12, b: 40 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: style().fontFamily, size: 13, color: colour("soft") },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("soft"), activecolor: colour("accent") },
    showlegend: false,
    hovermode: "x unified",
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("ink") } },
    xaxis: {
      ...axis,
      range: [0, data.duration_s],
      title: { text: atS.length ? "Time in the recording" : "Time in the recording (s)", standoff: 8 },
      unifiedhovertitle: { text: "%{x:.2f} s" },
      ...(atS.length ? { tickvals: atS, ticktext: atS.map(clock) } : {}),
    },
    yaxis: { ...axis, range: [0, 1.02], tickformat: ".0%", fixedrange: true },
    uirevision: "stay", // zoom survives a change of face or theme
  };
}

function ticks(durationS) {
  if (durationS < 10) return []; // Plotly's own, in seconds
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600].find((s) => durationS / s <= 9) ?? 7200;
  return Array.from({ length: Math.floor(durationS / step) + 1 }, (_, i) => i * step);
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  const two = (n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
