// The chart of a done video: which face, which emotions, and which other analysis of the recording to compare with.
// figure.js draws it.

import { clock, figure } from "./figure.js";

export async function drawChart(chart) {
  const note = chart.querySelector("#chart-note");
  const plot = chart.querySelector("#plot");
  const compare = chart.querySelector("#compare");
  chart.hidden = false;
  const own = await load(chart.dataset.url);
  if (!own) {
    note.textContent = "The chart could not be loaded. Reload the page; the CSV has the same data.";
    return;
  }
  const explanation =
    own.frames_per_point > 1
      ? `Each point is the mean of ${own.frames_per_point} frames; the CSV has every frame. Drag to zoom, double-click to zoom out.`
      : "Each point is one frame. Drag to zoom, double-click to zoom out.";
  const select = fillFaces(chart, own.faces);
  const buttons = [...chart.querySelectorAll(".emotion")];
  let other = null;

  const draw = () => {
    const face = own.faces[select.selectedIndex];
    const shown = new Set(buttons.filter((b) => b.getAttribute("aria-pressed") === "true").map((b) => b.dataset.emotion));
    const panels = [{ data: own, face, label: other ? chart.dataset.label : "" }];
    if (other) {
      const same = closest(other.faces, face);
      panels.push({ data: other, face: same, label: compare.selectedOptions[0].text + difference(face, same) });
    }
    plot.classList.toggle("two", panels.length > 1);
    const { traces, layout } = figure(panels, shown);
    window.Plotly.react(plot, traces, layout, {
      displaylogo: false,
      displayModeBar: "hover",
      modeBarButtons: [["toImage"], ["zoomIn2d", "zoomOut2d", "resetScale2d"]],
      toImageButtonOptions: { filename: `emotions-face-${face.face_id}`, scale: 2 },
    });
  };
  const renew = async () => {
    const url = compare?.value;
    const data = url ? await load(url) : null;
    if (url !== compare?.value) return; // another was chosen meanwhile
    other = data;
    note.textContent = url && !data ? "The other analysis could not be loaded; choose it again." : explanation;
    draw();
  };

  for (const button of buttons) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
      draw();
    });
  }
  select.addEventListener("change", draw);
  compare?.addEventListener("change", renew);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  await renew();
  new ResizeObserver(() => window.Plotly.Plots.resize(plot)).observe(plot);
}

async function load(url) {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(response.status);
    return await response.json();
  } catch {
    return null;
  }
}

function fillFaces(chart, faces) {
  const select = chart.querySelector("#face");
  for (const face of faces) select.add(new Option(`${face.face_id} (${stretch(face)})`));
  chart.querySelector("#face-field").hidden = faces.length < 2;
  const longest = faces.reduce((best, face, i) => (face.timestamp_s.length > faces[best].timestamp_s.length ? i : best), 0);
  select.selectedIndex = longest;
  return select;
}

// Faces are numbered by each analysis; at another sample rate the numbers can differ, so the time in the picture decides.
function closest(faces, face) {
  const distance = ({ timestamp_s: times, face_id: number }) =>
    Math.abs(times[0] - face.timestamp_s[0]) +
    Math.abs(times.at(-1) - face.timestamp_s.at(-1)) +
    (number === face.face_id ? 0 : 1); // faces that come and go together
  return faces.reduce((best, one) => (best && distance(best) <= distance(one) ? best : one), null);
}

function difference(face, same) {
  if (!same) return ": no face was found";
  return same.face_id === face.face_id ? "" : `: face ${same.face_id} (${stretch(same)})`;
}

function stretch({ timestamp_s: times }) {
  return `${clock(times[0])} to ${clock(times.at(-1))}`;
}
