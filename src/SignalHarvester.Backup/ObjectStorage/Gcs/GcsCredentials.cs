using Google.Apis.Auth.OAuth2;
using Google.Apis.Auth.OAuth2.Responses;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.ObjectStorage.Gcs;

/// <summary>
/// Google's Application Default Credentials: the file in GOOGLE_APPLICATION_CREDENTIALS, gcloud's file, or the service account
/// of the Google Cloud machine.
/// </summary>
/// <remarks>
/// We look for them ourselves, in Google's order. GoogleCredential.GetApplicationDefault keeps its first answer, even a
/// failure, as long as the process lives, and would not notice credentials that somebody gives in an open PowerShell session.
/// </remarks>
internal sealed class GcsCredentials(GcsFault fault)
{
    private const string Scope = "https://www.googleapis.com/auth/devstorage.read_write";
    private const string FileVariable = "GOOGLE_APPLICATION_CREDENTIALS";

    private const int LargestBytes = 1 << 20;

    private readonly Lock gate = new();
    private Task<GoogleCredential?>? found;

    /// <summary>Returns a token for requests; null if there are no credentials.</summary>
    /// <param name="fresh">Whether the service refused the last one. Then the credentials are read again, and a new token is requested.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="BackupException">CloudCredentialsMissing: the credentials cannot be used.</exception>
    public async Task<AccessTokenWithHeaders?> TokenAsync(bool fresh, CancellationToken cancellation)
    {
        if (await FindAsync(fresh, cancellation).ConfigureAwait(false) is not ITokenAccessWithHeaders credential)
        {
            return null;
        }

        try
        {
            return await credential.GetAccessTokenWithHeadersForRequestAsync(authUri: null, cancellation).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not (TokenResponseException or HttpRequestException or IOException or OperationCanceledException))
        {
            // Its text can quote what it could not read.
            throw fault.CredentialsUnusable($"The credentials that were found cannot be used ({exception.GetType().Name}).", null);
        }
    }

    /// <summary>Returns the project of the service account; null if unknown.</summary>
    public async Task<string?> ProjectAsync(CancellationToken cancellation) =>
        ((await FindAsync(fresh: false, cancellation).ConfigureAwait(false))?.UnderlyingCredential as ServiceAccountCredential)?.ProjectId;

    private Task<GoogleCredential?> FindAsync(bool fresh, CancellationToken cancellation)
    {
        lock (gate)
        {
            // A failed or stopped attempt is not kept. It does not run on the caller's thread, because the file may be a pipe that somebody
            // has yet to fill.
            if (fresh || found is null or { IsFaulted: true } or { IsCanceled: true })
            {
                found = Task.Run(() => FindAsync(cancellation), CancellationToken.None);
            }

            return found.WaitAsync(cancellation);
        }
    }

    private async Task<GoogleCredential?> FindAsync(CancellationToken cancellation)
    {
        if (Environment.GetEnvironmentVariable(FileVariable) is { Length: > 0 } named)
        {
            return await ReadAsync(named, $"The file '{named}', which {FileVariable} names,", cancellation).ConfigureAwait(false);
        }

        var ofGcloud = GcloudFile();
        if (File.Exists(ofGcloud))
        {
            return await ReadAsync(ofGcloud, $"The file '{ofGcloud}' of gcloud", cancellation).ConfigureAwait(false);
        }

        return await ComputeCredential.IsRunningOnComputeEngine().ConfigureAwait(false)
            ? GoogleCredential.FromComputeCredential(new ComputeCredential()).CreateScoped(Scope)
            : null;
    }

    private async Task<GoogleCredential> ReadAsync(string path, string which, CancellationToken cancellation)
    {
        try
        {
            using var text = new MemoryStream(NamedFile.ReadAllBytes(path, LargestBytes, cancellation));
#pragma warning disable CS0618 // The warning is about files from strangers. This file belongs to the person who runs the command, and may be of any kind.
            var credential = await GoogleCredential.FromStreamAsync(text, CancellationToken.None).ConfigureAwait(false);
#pragma warning restore CS0618
            return credential.CreateScoped(Scope);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw fault.CredentialsUnusable($"{which} cannot be read.", exception);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // Its text can quote the file.
            throw fault.CredentialsUnusable($"{which} contains no usable credentials ({exception.GetType().Name}).", null);
        }
    }

    private static string GcloudFile() => Path.Combine(
        Environment.GetEnvironmentVariable("CLOUDSDK_CONFIG") is { Length: > 0 } folder
            ? folder
            : OperatingSystem.IsWindows()
                ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "gcloud")
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config", "gcloud"),
        "application_default_credentials.json");
}
