namespace SignalHarvester.Backup.ObjectStorage;

/// <summary>An upload that was begun and not ended.</summary>
/// <param name="Name">The object that it was to make.</param>
/// <param name="UploadId">Its id, which is never shown.</param>
/// <param name="Begun">When it was begun.</param>
internal sealed record PendingUpload(string Name, string UploadId, DateTimeOffset Begun);
