using System.Net;

namespace SignalHarvester.Backup.ObjectStorage.Gcs;

/// <summary>The bucket itself: whether it exists, what it does with deleted objects, and how it is made.</summary>
internal sealed class GcsBucketAccess(GcsClient client, GcsFault fault, StoreLocation location, StoreOptions options)
{
    /// <summary>Its path in the API, escaped.</summary>
    public string Path { get; } = $"/storage/v1/b/{Uri.EscapeDataString(location.Container)}";

    /// <summary>Looks for it; null if it does not exist.</summary>
    public Task<GcsBucket?> FindAsync(CancellationToken cancellation) =>
        client.RunAsync("looking for the bucket", null, FetchAsync, meaning: null, cancellation);

    /// <summary>Makes it, closed to the public, and with object locks if they are requested.</summary>
    /// <exception cref="BackupException">CloudRefused: no project is known to which it could belong.</exception>
    public async Task CreateAsync(CancellationToken cancellation)
    {
        const string Action = "creating the bucket";
        var project = await client.ProjectAsync(cancellation).ConfigureAwait(false)
            ?? throw fault.Store.Refused(Action, "a bucket belongs to a project; set the environment variable GOOGLE_CLOUD_PROJECT to that project's id", null);
        var retention = options.ImmutableFor is null ? string.Empty : "&enableObjectRetention=true";
        var address = client.Address($"/storage/v1/b?project={Uri.EscapeDataString(project)}&fields={GcsBucket.Fields}{retention}");
        var made = new GcsNewBucket(
            location.Container, location.Region, new GcsBucketRights(new GcsUniformAccess(Enabled: true), PublicAccessPrevention: "enforced"));
        await client.RunAsync(
            Action,
            null,
            async stop =>
            {
                try
                {
                    return await client.AskAsync(
                        () => new HttpRequestMessage(HttpMethod.Post, address) { Content = GcsClient.Json(made, GcsJson.Default.GcsNewBucket) },
                        GcsJson.Default.GcsBucket, stop).ConfigureAwait(false);
                }
                catch (GcsResponseException response) when (response.Status == HttpStatusCode.Conflict)
                {
                    // An earlier attempt or another process made it; or it belongs to a stranger, and may not be inspected.
                    return await FetchAsync(stop).ConfigureAwait(false);
                }
            },
            response => response.Status == HttpStatusCode.NotFound ? fault.Store.Refused(Action, response.Message, response) : null,
            cancellation).ConfigureAwait(false);
    }

    private async Task<GcsBucket?> FetchAsync(CancellationToken cancellation)
    {
        try
        {
            return await client.AskAsync(client.Get($"{Path}?fields={GcsBucket.Fields}"), GcsJson.Default.GcsBucket, cancellation).ConfigureAwait(false);
        }
        catch (GcsResponseException response) when (response.Status == HttpStatusCode.NotFound)
        {
            return null;
        }
        catch (GcsResponseException response) when (response.Status == HttpStatusCode.Forbidden && !GcsFault.IsTransient(response))
        {
            // Using a bucket needs no permission to inspect it. A listing also shows whether it exists, but not what it does with deleted
            // objects.
            return await CanListAsync(cancellation).ConfigureAwait(false) ? new GcsBucket(Versioning: null, SoftDeletePolicy: null) : null;
        }
    }

    private async Task<bool> CanListAsync(CancellationToken cancellation)
    {
        try
        {
            await client.AskAsync(client.Get($"{Path}/o?maxResults=1&fields=nextPageToken"), GcsJson.Default.GcsPage, cancellation).ConfigureAwait(false);
            return true;
        }
        catch (GcsResponseException response) when (response.Status == HttpStatusCode.NotFound)
        {
            return false;
        }
    }
}
