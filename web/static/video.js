// The page of a video: live progress while it is in work, the chart when it is done.

import { drawChart } from "./chart.js";
import { offerOverlay } from "./exports.js";
import { keepFresh } from "./live.js";
import { keepNotes } from "./notes.js";
import { linkQuality } from "./quality.js";
import { localiseTimes } from "./times.js";

localiseTimes(document);

const progress = document.getElementById("progress");
if (progress) {
  const statusAtStart = status();
  keepFresh(progress, () => {
    if (status() !== statusAtStart) location.replace(location.pathname);
    return 1000;
  });
}

const analyses = document.getElementById("analyses");
if (analyses) keepFresh(analyses, () => (analyses.firstElementChild.dataset.active === "yes" ? 1500 : 10000));

const chart = document.getElementById("chart");
if (chart) drawChart(chart);

const notes = document.getElementById("notes");
if (notes) keepNotes(notes);

const overlay = document.getElementById("overlay");
if (overlay) offerOverlay(overlay);

const quality = document.getElementById("quality");
if (quality) linkQuality(quality);

function status() {
  return progress.firstElementChild.dataset.status;
}
