Describe 'Get-SHBackupStore' {
    BeforeAll { . "$PSScriptRoot/Workspace.ps1" }
    BeforeEach { Enter-Workspace }
    AfterEach { Exit-Workspace }

    It 'lists the stores of the configuration, and shows their addresses' {
        Get-SHBackupStore | Should -BeNullOrEmpty
        New-SHBackupStore nas ./nas -CreateContainer | Out-Null
        New-SHBackupStore second ./second -CreateContainer | Out-Null
        (Get-SHBackupStore | Sort-Object Name).Name | Should -Be 'nas', 'second'
        (Get-SHBackupStore n* | Out-String -Width 300) | Should -Match 'file:///.*/nas'
        (Get-SHBackupStore nas | ConvertTo-Json | ConvertFrom-Json).Provider | Should -Be 'Directory'
        { Get-SHBackupStore third -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidArgument,*'
    }
}
