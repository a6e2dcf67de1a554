namespace SignalHarvester.Backup.Formats.Seekable;

/// <summary>Measures the frame at an offset by its headers; null if it does not say how long it is, or is no frame.</summary>
internal delegate FrameMeasure? MeasureFrame(FrameWindow file, long offset);
