using System.Net;

namespace SignalHarvester.Backup.ObjectStorage.Gcs;

/// <summary>The bucket as such: whether it is there, what it does with deleted objects, and making it.</summary>
internal sealed class GcsBucketAccess(GcsClient client, GcsFault fault, StoreLocation location, StoreOptions options)
{
    /// <summary>Its path in the API, escaped.</summary>
    public string Path { get; } = $"/storage/v1/b/{Uri.EscapeDataString(location.Container)}";

    /// <summary>Looks for it; null if it is not there.</summary>
    public Task<GcsBucket?> FindAsync(CancellationToken cancellation) =>
        client.RunAsync("looking for the bucket", null, FetchAsync, meaning: null, cancellation);

    /// <summary>Makes it, closed to the public, and able to lock objects where that is asked for.</summary>
    /// <exception cref="BackupException">CloudRefused: no project is known that it could belong to.</exception>
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
                    // An earlier attempt made it, or another process did; or it is a stranger's, and may not be looked at.
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
            // To use a bucket takes no permission to look at it. A listing tells as well whether it is there; what it does with
            // deleted objects is not known then.
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
