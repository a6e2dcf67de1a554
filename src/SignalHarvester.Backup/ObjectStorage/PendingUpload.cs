namespace SignalHarvester.Backup.ObjectStorage;

/// <summary>An unfinished upload.</summary>
/// <param name="Name">The object that it would make.</param>
/// <param name="UploadId">Its id, which is never shown.</param>
/// <param name="Begun">When it was begun.</param>
internal sealed record PendingUpload(string Name, string UploadId, DateTimeOffset Begun);
