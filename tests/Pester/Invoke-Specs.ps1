#Requires -Version 7.6

<#
.SYNOPSIS
Runs the specs of this folder against the built module, with the Pester that the build fetched; exits with the number of failures.

.PARAMETER ResultPath
Where to write the results as JUnit XML.
#>
[CmdletBinding()]
param(
    [string] $ResultPath
)

# No $ErrorActionPreference here: the specs would have it too, and look at errors that end nothing.
$out = Join-Path $PSScriptRoot '..' '..' 'out'
Import-Module (Join-Path $out 'Pester') -ErrorAction Stop
Import-Module (Join-Path $out 'SignalHarvester.Backup') -ErrorAction Stop

$configuration = @{ Run = @{ Path = $PSScriptRoot; Exit = $true }; Output = @{ Verbosity = 'Normal' } }
if ($ResultPath) {
    $configuration.TestResult = @{ Enabled = $true; OutputFormat = 'JUnitXml'; OutputPath = $ResultPath }
}

Invoke-Pester -Configuration $configuration
