// What the HTTP API answers and takes, in the words of its schemas. Times are seconds from the recording's first frame.

declare namespace Api {
  /** A name of the network's emotions; which there are, the answers say. */
  type Emotion = string;
  type FrameStatus = "decode_error" | "no_face" | "too_small" | "ok";

  /** An error, as RFC 9457 has it: one sentence for people, and a word for programs. */
  interface Problem {
    status: number;
    code: string;
    detail: string;
  }

  interface Failure {
    code: string;
    message: string;
  }

  /** chart.json: a stretch of a timeline, reduced to what a screen can show. */
  interface Chart {
    video_id: string;
    emotions: Emotion[];
    duration_s: number;
    /** What of the recording was analysed; null: the whole. */
    clip: { start_s: number; end_s: number } | null;
    from_s: number;
    to_s: number;
    /** Length of time that a point stands for; 0: it is one frame. */
    bucket_s: number;
    faces: ChartFace[];
    /** When shots of the recording begin, but for the first. */
    cuts_s: number[];
    quality: Quality;
    /** What the face shows in the stretch, counted over frames, and in words. */
    summary: { sentence: string };
  }

  interface ChartFace extends Partial<ChartLine> {
    face_id: number;
    name: string | null;
    frames_seen: number;
    first_timestamp_s: number;
    last_timestamp_s: number;
  }

  /** Columns of one length; null in all of them marks a gap. */
  interface ChartLine {
    timestamp_s: (number | null)[];
    /** How many frames each point stands for. */
    frames: (number | null)[];
    probabilities: Columns;
    /** The least and the most of a point's frames; not there when a point is one frame. */
    lowest?: Columns;
    highest?: Columns;
  }

  type Columns = Record<Emotion, (number | null)[]>;

  /** Sampled frames by status: at each time, of the frames from then until the next time. */
  type Quality = { timestamp_s: number[] } & Record<FrameStatus, number[]>;

  /** boxes.json: the faces of a stretch of the recording, in columns. */
  interface Boxes {
    width: number;
    height: number;
    /** Timestamps of the sampled frames just outside of the stretch. */
    previous_s: number | null;
    next_s: number | null;
    emotions: Emotion[];
    statuses: FrameStatus[];
    /** By the face's number. */
    names: Record<string, string>;
    frames: { frame: number[]; timestamp_s: number[]; status: number[]; faces: number[] };
    faces: BoxColumns;
  }

  interface BoxColumns {
    face_id: number[];
    x: number[];
    y: number[];
    w: number[];
    h: number[];
    status: number[];
    /** Place in `emotions`; null where the face is too small, as is the probability. */
    emotion: (number | null)[];
    probability: (number | null)[];
  }

  /** A face of a video as it is shown, with those that were merged into it. */
  interface Face {
    face_id: number;
    name: string | null;
    hidden: boolean;
    merged: number[];
  }

  interface FaceChange {
    name?: string | null;
    hidden?: boolean;
    /** Another face, or null to split this one off; a text is refused. */
    merged_into?: number | string | null;
  }

  interface NewNote {
    start_s: number;
    /** End of a range; null for a moment. */
    end_s: number | null;
    text: string;
  }

  interface Note extends NewNote {
    id: string;
  }

  /** How far a file is that is made of a recording. */
  interface Render {
    status: "none" | "queued" | "running" | "done" | "failed";
    /** 0 to 1 */
    progress: number | null;
    error: Failure | null;
    url: string | null;
  }

  /** A recording that comes in pieces. */
  type Upload = { id: string; filename: string; size_bytes: number; offset: number } & (
    | { status: "receiving" | "examining"; video: null; error: null }
    | { status: "accepted"; video: UploadedVideo; error: null }
    | { status: "refused"; video: null; error: Failure }
  );

  type AcceptedUpload = Extract<Upload, { status: "accepted" }>;

  interface UploadedVideo {
    id: string;
    links: Record<string, string>;
    duplicate: boolean;
  }
}

interface Window {
  /** Swagger UI's own script defines it. */
  SwaggerUIBundle(options: Record<string, unknown>): void;
}
