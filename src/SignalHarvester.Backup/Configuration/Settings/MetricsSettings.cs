namespace SignalHarvester.Backup.Configuration.Settings;

/// <summary>Where metrics go (<c>app.backup.metrics</c>).</summary>
public sealed record MetricsSettings
{
    /// <summary>The full path of the file for node_exporter's textfile collector; null for none.</summary>
    public string? Textfile { get; init; }

    /// <summary>The address of a Pushgateway; null for none. It may contain a password, and is never shown, logged or put into an error.</summary>
    public Uri? PushGateway { get; init; }

    /// <summary>The port on which metrics are served, 1 to 65535; null for the command's own default.</summary>
    public int? Port { get; init; }

    /// <summary>Only the name: the address may contain a password.</summary>
    public override string ToString() => nameof(MetricsSettings);
}
