BeforeAll {
    . $PSScriptRoot/Workspace.ps1
    Enter-Workspace
    $repository = "shbackup-$([guid]::NewGuid())"
    $packages = (New-Item -ItemType Directory (Join-Path ([IO.Path]::GetTempPath()) $repository)).FullName
    Register-PSResourceRepository -Name $repository -Uri $packages -Trusted
}

AfterAll {
    Unregister-PSResourceRepository -Name $repository
    Remove-Item -LiteralPath $packages -Recurse
    Exit-Workspace
}

Describe 'the package' {
    It 'is published, found by its commands, and works where it was installed' {
        $root = Join-Path $PSScriptRoot '..' '..'
        dotnet pack (Join-Path $root 'src' 'SignalHarvester.Backup.PowerShell') --no-build --configuration Release --output (Join-Path $packages 'made') --verbosity quiet -nologo
        $LASTEXITCODE | Should -Be 0
        Publish-PSResource -NupkgPath (Get-Item (Join-Path $packages 'made' '*.nupkg')).FullName -Repository $repository
        (Find-PSResource SignalHarvester.Backup -Repository $repository).Includes.Cmdlet | Should -Contain 'Restore-SHBackup'

        $modules = New-Item -ItemType Directory (Join-Path $packages 'modules')
        Save-PSResource SignalHarvester.Backup -Repository $repository -Path $modules
        $manifest = (Get-Item (Join-Path $modules 'SignalHarvester.Backup' '*' '*.psd1')).FullName
        $verified = pwsh -NoProfile -NonInteractive -Command { param($manifest) Import-Module $manifest; (New-SHBackup ./app.db | Test-SHBackup).Verified } -args $manifest
        $verified | Should -BeTrue
    }
}
