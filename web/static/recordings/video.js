// The page of a video: live progress while it is in work, the chart when it is done.

import { drawChart } from "../timeline/chart.js";
import { datum, one } from "../http/elements.js";
import { offerFiles } from "../exports/exports.js";
import { showFaces } from "../faces/faces.js";
import { keepFresh } from "./live.js";
import { showMoments } from "../faces/moments.js";
import { keepNotes } from "../notes/notes.js";
import { startPlayer } from "../timeline/player.js";
import { linkQuality } from "../timeline/quality.js";
import { localiseTimes } from "./times.js";

localiseTimes(document);

const progress = document.getElementById("progress");
if (progress) {
  const status = () => datum(one(progress, ":scope > *"), "status");
  const statusAtStart = status();
  keepFresh(progress, () => {
    if (status() !== statusAtStart) location.replace(location.pathname);
    return 1000;
  });
}

const analyses = document.getElementById("analyses");
if (analyses) keepFresh(analyses, () => (one(analyses, ":scope > *").dataset.active === "yes" ? 1500 : 10000));

const player = document.getElementById("player");
if (player) startPlayer(player);

const chart = document.getElementById("chart");
const isDrawn = chart ? drawChart(chart) : Promise.resolve(false);

const faces = document.getElementById("faces");
if (faces) showFaces(faces);

const moments = document.getElementById("moments");
if (moments) showMoments(moments);

const notes = document.getElementById("notes");
if (notes) keepNotes(notes);

const files = document.getElementById("exports");
if (files) offerFiles(files, isDrawn);

const quality = document.getElementById("quality");
if (quality) linkQuality(quality);
