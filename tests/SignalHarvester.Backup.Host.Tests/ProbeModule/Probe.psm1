# A module that needs everything a host offers, and nothing of SignalHarvester.Backup.
class ProbeItem { [string] $Name; [long] $Size }

function Get-Probe {
    [CmdletBinding()]
    param([int] $Count = 2)
    for ($i = 1; $i -le $Count; $i++) { [ProbeItem] @{ Name = "item$i"; Size = $i * 100 } }
}

function Remove-Probe {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param([Parameter(Mandatory)] [string] $Name)
    $ErrorActionPreference = 'Stop'
    if ($PSCmdlet.ShouldProcess($Name)) { "removed $Name" } else { "kept $Name" }
}

function Write-EveryStream {
    [CmdletBinding()]
    param()
    'an object'
    $PSCmdlet.WriteWarning('a warning')
    $PSCmdlet.WriteVerbose('a detail')
    $PSCmdlet.WriteDebug('an insight')
    $PSCmdlet.WriteError([System.Management.Automation.ErrorRecord]::new([Exception]::new('an error'), 'Probe', 'InvalidData', $null))
}

# Says 'started', reports progress, and needs CleanupSeconds after a stop before it writes Mark.
function Wait-Probe {
    [CmdletBinding()]
    param([double] $Seconds = 60, [double] $CleanupSeconds = 0.3, [string] $Mark)
    'started'
    try {
        $end = [DateTime]::UtcNow.AddSeconds($Seconds)
        while ([DateTime]::UtcNow -lt $end) {
            $record = [System.Management.Automation.ProgressRecord]::new(1, 'Probing app.db', 'page 7')
            $record.PercentComplete = 50
            $record.SecondsRemaining = 61
            $PSCmdlet.WriteProgress($record)
            [Threading.Thread]::Sleep(20)
        }
        'finished'
    }
    finally {
        if ($Mark) {
            $end = [DateTime]::UtcNow.AddSeconds($CleanupSeconds)
            while ([DateTime]::UtcNow -lt $end) { [Threading.Thread]::Sleep(20) }
            [IO.File]::WriteAllText($Mark, 'cleaned')
        }
    }
}
