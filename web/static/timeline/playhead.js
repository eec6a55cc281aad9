// What the parts of a video's page share: the moment of the recording that is looked at, and the face.
//
// The player tells where it is ("moved"); a click in the chart, on a moment or on a note asks it to go there ("seek").
// Times are those of the timeline: seconds from the recording's first frame.

class Playhead extends EventTarget {
  timestampS = 0;
  /** @type {number | null} */
  faceId = null; // null until one is chosen
  /** @type {Api.NewNote[]} */
  notes = []; // in order of time; the event "notes" tells that they have changed

  /**
   * The picture that is shown changed. Called by the player alone.
   *
   * @param {number} timestampS
   */
  moved(timestampS) {
    this.timestampS = timestampS;
    this.dispatchEvent(new Event("moved"));
  }

  /**
   * Asks the player to show this moment; without a player the cursor goes there alone.
   *
   * @param {number} timestampS
   */
  seek(timestampS) {
    const asked = new CustomEvent("seek", { detail: timestampS, cancelable: true });
    if (this.dispatchEvent(asked)) this.moved(timestampS); // nobody took it over by preventDefault()
  }

  /**
   * Another face is looked at.
   *
   * @param {number} faceId
   */
  choose(faceId) {
    if (faceId === this.faceId) return;
    this.faceId = faceId;
    this.dispatchEvent(new Event("chosen"));
  }

  /** Faces were named, merged or hidden; whatever shows them asks the server again. */
  changed() {
    this.dispatchEvent(new Event("changed"));
  }
}

export const playhead = new Playhead();
